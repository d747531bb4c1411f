import { Age } from '../parts/age.tsx'
import { FilterBar, useFilter } from '../parts/filter.tsx'
import { Word } from '../parts/mark.tsx'
import { devices } from '../live-store.ts'
import { byTrouble, bytes, cores, plural } from '../words.ts'
import type { DeviceRow } from '../../view-model.ts'

/** Rows drawn at once; the filter finds the others. */
const MOST = 500

/** Every device, trouble first. */
export function Devices() {
  const { text, state } = useFilter()
  const all = devices.all()
  const rows = all.filter((row) => row.name.includes(text) && (state === '' || row.word === state)).toSorted(byTrouble)
  return (
    <>
      <h1>Devices</h1>
      <FilterBar what="device" states={['online', 'degraded', 'offline', 'never-seen']} shown={rows.length} total={all.length} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Devices">
        <table>
          <thead>
            <tr>
              <th scope="col">Device</th>
              <th scope="col">State</th>
              <th scope="col">Heard</th>
              <th scope="col">System</th>
              <th scope="col">CPU asked</th>
              <th scope="col">Memory asked</th>
              <th scope="col">PIDs</th>
              <th scope="col">Pods</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map((row) => (
              <Row key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST ? <p class="muted">{plural(rows.length - MOST, 'more device')}: narrow the filter.</p> : null}
      {all.length === 0 ? (
        <p>
          No device has joined yet. Make a join file with <code>skerry join NAME</code>.
        </p>
      ) : null}
    </>
  )
}

function Row({ row }: { readonly row: DeviceRow }) {
  const { asked, capacity } = row
  return (
    <tr>
      <th scope="row">
        <a href={`/console/devices/${row.name}`}>{row.name}</a>
        {row.cordoned ? <small>cordoned</small> : null}
      </th>
      <td>
        <Word tone={row.tone}>{row.word}</Word>
        {row.causes[0] === undefined ? null : <small>{row.causes[0].says}</small>}
      </td>
      <td class="num">
        <Heard row={row} />
      </td>
      <td>
        {row.arch}
        <small>{row.os}</small>
      </td>
      <td class="num">
        {cores(asked.cpuMilli)}
        {capacity === null ? '' : ` of ${cores(capacity.cpuMilli)}`}
      </td>
      <td class="num">
        {bytes(asked.memoryBytes)}
        {capacity === null ? '' : ` of ${bytes(capacity.memoryBytes)}`}
      </td>
      <td class="num">
        {asked.pids}
        {capacity === null ? '' : ` of ${capacity.pids}`}
      </td>
      <td class="num">
        {asked.pods}
        {capacity === null ? '' : ` of ${capacity.pods}`}
      </td>
    </tr>
  )
}

function Heard({ row }: { readonly row: DeviceRow }) {
  if (row.word === 'online' || row.word === 'degraded') return <>in contact</>
  return row.heardAtMs === null ? (
    <>never</>
  ) : (
    <>
      <Age at={row.heardAtMs} /> ago
    </>
  )
}
