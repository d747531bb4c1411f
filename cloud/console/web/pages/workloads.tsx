import { Age } from '../parts/age.tsx'
import { FilterBar, useFilter } from '../parts/filter.tsx'
import { Word } from '../parts/mark.tsx'
import { workloads } from '../live-store.ts'
import { byTrouble, plural } from '../words.ts'
import type { Tone } from '../../view-model.ts'

const MOST = 500
const STATES: Readonly<Record<string, Tone>> = { trouble: 'bad', unknown: 'unknown', changing: 'busy', fine: 'ok' }

/** Every workload, trouble first. */
export function Workloads() {
  const { text, state } = useFilter()
  const all = workloads.all()
  const rows = all.filter((row) => `${row.namespace}/${row.name}`.includes(text) && (state === '' || row.tone === STATES[state])).toSorted(byTrouble)
  return (
    <>
      <h1>Workloads</h1>
      <FilterBar what="workload" states={Object.keys(STATES)} shown={rows.length} total={all.length} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Workloads">
        <table>
          <thead>
            <tr>
              <th scope="col">Workload</th>
              <th scope="col">Kind</th>
              <th scope="col">State</th>
              <th scope="col">Ready</th>
              <th scope="col">Not placed</th>
              <th scope="col">Image</th>
              <th scope="col">Age</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map((row) => (
              <tr key={row.key}>
                <th scope="row">
                  <a href={`/console/workloads/${row.key}`}>{row.name}</a>
                  <small>{row.namespace}</small>
                </th>
                <td>{row.kind}</td>
                <td>
                  <Word tone={row.tone}>{row.says}</Word>
                </td>
                <td class="num">
                  {row.ready} of {row.desired}
                </td>
                <td class="num">{row.notPlaced}</td>
                <td>
                  <code>{row.image}</code>
                </td>
                <td class="num">
                  <Age at={row.createdAtMs} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST ? <p class="muted">{plural(rows.length - MOST, 'more workload')}: narrow the filter.</p> : null}
      {all.length === 0 ? (
        <p>
          Nothing has been applied yet. Try <code>kubectl apply -f examples/hello.yaml</code>.
        </p>
      ) : null}
    </>
  )
}
