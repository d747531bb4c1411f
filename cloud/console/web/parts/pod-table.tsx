import type { PodRow } from '../../view-model.ts'
import { byTrouble } from '../words.ts'
import { Age } from './age.tsx'
import { Cause } from './cause.tsx'
import { Word } from './mark.tsx'

/** Pods with the state, the reason and one thing to do. `by` is what the table already says in its title. */
export function PodTable({ rows, by }: { readonly rows: readonly PodRow[]; readonly by: 'device' | 'workload' }) {
  if (rows.length === 0) return <p class="muted">None.</p>
  const other = by === 'device' ? 'Workload' : 'Device'
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Pods">
      <table class="stack">
        <thead>
          <tr>
            {['Pod', 'State', other, 'Up', 'Restarts', 'Why, and what to do'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.toSorted(byTrouble).map((row) => (
            <tr key={row.key}>
              <th scope="row">
                {row.name}
                <small>{row.namespace}</small>
              </th>
              <td data-label="State">
                <Word tone={row.tone}>{row.word}</Word>
              </td>
              <td data-label={other}>{by === 'device' ? <WorkloadLink id={row.workload} /> : <DeviceLink name={row.device} />}</td>
              <td class="num" data-label="Up">
                <Age at={row.startedAtMs} />
              </td>
              <td class="num" data-label="Restarts">
                {row.restarts}
              </td>
              <td class="why">
                <Cause cause={row.cause} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function DeviceLink({ name }: { readonly name: string | null }) {
  return name === null ? <>–</> : <a href={`/console/devices/${name}`}>{name}</a>
}

/** `Deployment/shop/web` as a link. */
function WorkloadLink({ id }: { readonly id: string }) {
  return <a href={`/console/workloads/${id}`}>{id.split('/').slice(1).join('/')}</a>
}
