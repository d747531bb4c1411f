import type { PodRow } from '../../view-model.ts'
import { Age } from './age.tsx'
import { Cause } from './cause.tsx'
import { Word } from './mark.tsx'

/** Pods of one workload with the state, the reason and one thing to do. */
export function PodTable({ rows }: { readonly rows: readonly PodRow[] }) {
  if (rows.length === 0) return <p class="muted empty">It has no pods.</p>
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Pods">
      <table class="stack">
        <thead>
          <tr>
            {['Pod', 'State', 'Device', 'Up', 'Restarts', 'Why, and what to do', ''].map((title) => (
              <th key={title} scope="col">
                {title === '' ? <span class="hidden">More</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">{row.name}</th>
              <td data-label="State">
                <Word tone={row.tone}>{row.word}</Word>
              </td>
              <td data-label="Device">{row.device === null ? '–' : <a href={`/console/devices/${row.device}`}>{row.device}</a>}</td>
              <td class="num" data-label="Up">
                <Age at={row.startedAtMs} />
              </td>
              <td class="num" data-label="Restarts">
                {row.restarts}
              </td>
              <td class="why">
                <Cause cause={row.cause} />
              </td>
              <td class="row-actions">
                <a href={`/console/why/${row.key}`} aria-label={`Why: ${row.key}`}>
                  Why
                </a>
                {row.device === null ? null : (
                  <a href={`/console/logs/${row.key}`} aria-label={`Logs of ${row.key}`}>
                    Logs
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
