import { lazy } from 'preact-iso'
import { useMemo, useState } from 'preact/hooks'
import { Age } from '../parts/age.tsx'
import { CsvButton } from '../parts/csv-button.tsx'
import { Facets, labelOf } from '../parts/facets.tsx'
import { StandingWord } from '../parts/mark.tsx'
import { QueryBox } from '../parts/query-box.tsx'
import { VirtualTable } from '../parts/virtual-table.tsx'
import type { TableColumn } from '../parts/virtual-row.tsx'
import { DeviceField } from '../field/device-field.tsx'
import { useQuery } from '../use-query.ts'
import { useWish } from '../use-wish.ts'
import { bytes, cores } from '../words.ts'
import type { DeviceRow } from '../../view-model.ts'

const DeviceMap = lazy(() => import('../map/device-map.tsx').then((map) => map.DeviceMap))

/** Every device: one question, answered as a list, a field of dots, or a map. */
export function Devices() {
  const { q, sort, view, get, set, term } = useQuery()
  const [window, setWindow] = useState({ offset: 0, limit: 100 })
  const list = useWish({ part: 'list', table: 'devices', query: q, sort, facets: true, ...window })
  const labels = useWish({ part: 'summary' })?.labels ?? []
  const by = get('by') || (labels[0]?.key ?? '')
  // the same element as long as nothing in it differs: a scroll asks for another window many times a second
  const facets = useMemo(() => <Facets facets={list?.facets} q={q} onTerm={term} />, [list?.facets, q, sort, view, by])
  return (
    <>
      <div class="title">
        <h1>Devices</h1>
        <CsvButton table="devices" q={q} sort={sort} />
        <div class="views" role="group" aria-label="Show as">
          {(['list', 'field', 'map'] as const).map((one) => (
            <button key={one} type="button" aria-pressed={(view || 'list') === one} onClick={() => set('view', one === 'list' ? '' : one)}>
              {{ list: 'List', field: 'Field', map: 'Map' }[one]}
            </button>
          ))}
        </div>
      </div>
      <QueryBox
        q={q}
        what="device"
        example="state:failed site:eu-3 agent<1.4 text"
        shown={list?.total}
        of={list?.of}
        issues={list?.issues ?? []}
        onQuery={(text) => set('q', text)}
      />
      <div class="listing">
        {facets}
        <div class="listed">
          {list?.of === 0 ? (
            <>
              <p class="empty">No device has joined yet.</p>
              <NoDevices />
            </>
          ) : view === 'field' ? (
            <>
              <GroupBy labels={labels} by={by} onBy={(value) => set('by', value)} />
              <DeviceField query={q} by={by === 'none' ? '' : by} onGroup={(label) => term(by, label)} />
            </>
          ) : view === 'map' ? (
            <DeviceMap query={q} />
          ) : list === undefined ? (
            <p role="status">Loading…</p>
          ) : list.total === 0 ? (
            <p class="empty">No device matches.</p>
          ) : (
            <VirtualTable
              label="Devices"
              columns={COLUMNS}
              total={list.total}
              offset={list.offset}
              rows={list.rows as readonly DeviceRow[]}
              keyOf={(row) => row.name}
              hrefOf={(row) => `/console/devices/${row.name}`}
              sort={sort || 'trouble'}
              onSort={(order) => set('sort', order)}
              onWindow={setWindow}
            />
          )}
        </div>
      </div>
    </>
  )
}

export function NoDevices() {
  return (
    <div class="empty">
      <p>
        Make a join file with <code>skerry join NAME &gt; join.json</code>, carry it to the device, and start the agent there with{' '}
        <code>skerry-agent run --join join.json</code>. The device shows up here by itself.
      </p>
      <p>
        For many devices, <code>skerry enroll &gt; join.json</code> makes one file with which each fetches its own.
      </p>
    </div>
  )
}

interface GroupByProps {
  readonly labels: readonly { readonly key: string; readonly values: number }[]
  readonly by: string
  onBy(key: string): void
}

export function GroupBy({ labels, by, onBy }: GroupByProps) {
  return (
    <label class="group-by">
      Group by{' '}
      <select value={by === '' ? 'none' : by} onChange={(event) => onBy(event.currentTarget.value)}>
        <option value="none">nothing</option>
        {labels.map(({ key, values }) => (
          <option key={key} value={key}>
            {labelOf(key)} ({values})
          </option>
        ))}
      </select>
    </label>
  )
}

const COLUMNS: readonly TableColumn<DeviceRow>[] = [
  { title: 'Device', sort: 'name', width: 'minmax(0, 1.5fr)', cell: (row) => row.name },
  { title: 'State', sort: 'trouble', width: 'minmax(0, 2.3fr)', cell: (row) => <State row={row} /> },
  { title: 'Heard', sort: 'heard', width: '96px', num: true, cell: (row) => <Heard row={row} /> },
  { title: 'Agent', sort: 'agent', width: '84px', cell: (row) => row.agent || '–' },
  { title: 'System', sort: 'system', width: 'minmax(0, 1fr)', cell: (row) => <span title={row.os}>{row.os.replace(' GNU/Linux', '') || '–'}</span> },
  {
    title: 'CPU',
    width: '92px',
    num: true,
    cell: (row) => (row.capacity === null ? '–' : `${cores(row.asked.cpuMilli)} / ${cores(row.capacity.cpuMilli)}`),
  },
  {
    title: 'Memory',
    width: '136px',
    num: true,
    cell: (row) => (row.capacity === null ? '–' : `${bytes(row.asked.memoryBytes)} / ${bytes(row.capacity.memoryBytes)}`),
  },
  { title: 'Pods', sort: 'pods', width: '56px', num: true, cell: (row) => row.asked.pods },
]

function State({ row }: { readonly row: DeviceRow }) {
  const [why] = row.standing === 'offline' ? [] : [...row.podCauses, ...row.causes]
  return (
    <>
      <StandingWord standing={row.standing} />
      {row.cordoned ? <span class="tag">cordoned</span> : null}
      {row.held > 0 ? <span class="tag">held on site</span> : null}
      {why === undefined ? null : (
        <span class="muted one-line" title={why.says}>
          {why.says}
        </span>
      )}
    </>
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
