import { useState } from 'preact/hooks'
import { Age } from '../parts/age.tsx'
import { CsvButton } from '../parts/csv-button.tsx'
import { About } from '../parts/event-list.tsx'
import { Facets } from '../parts/facets.tsx'
import { Image } from '../parts/image.tsx'
import { Mark, Word } from '../parts/mark.tsx'
import { QueryBox } from '../parts/query-box.tsx'
import { VirtualTable } from '../parts/virtual-table.tsx'
import type { TableColumn } from '../parts/virtual-row.tsx'
import { useQuery } from '../use-query.ts'
import { useWish } from '../use-wish.ts'
import type { AuditRow, EventRow, PodRow, TableName, WorkloadRow } from '../../view-model.ts'

interface ListProps<R> {
  readonly title: string
  readonly table: TableName
  readonly what: string
  readonly example: string
  readonly usualSort: string
  readonly nothing: string
  readonly columns: readonly TableColumn<R>[]
  keyOf(row: R): string
  hrefOf(row: R): string
}

/** A list of any length: the cloud filters, sorts and counts; the browser holds what is on the screen. */
function List<R>({ title, table, what, example, usualSort, nothing, columns, keyOf, hrefOf }: ListProps<R>) {
  const { q, sort, set, term } = useQuery()
  const [window, setWindow] = useState({ offset: 0, limit: 100 })
  const list = useWish({ part: 'list', table, query: q, sort, facets: true, ...window })
  return (
    <>
      <div class="title">
        <h1>{title}</h1>
        <CsvButton table={table} q={q} sort={sort} />
      </div>
      <QueryBox
        q={q}
        what={what}
        example={example}
        shown={list?.total}
        of={list?.of}
        issues={list?.issues ?? []}
        onQuery={(text) => set('q', text)}
      />
      <div class="listing">
        <Facets facets={list?.facets} q={q} onTerm={term} />
        <div class="listed">
          {list === undefined ? (
            <p role="status">Loading…</p>
          ) : list.total === 0 ? (
            <p class="empty">{list.of === 0 ? nothing : `No ${what} matches.`}</p>
          ) : (
            <VirtualTable
              label={title}
              columns={columns}
              total={list.total}
              offset={list.offset}
              rows={list.rows as readonly R[]}
              keyOf={keyOf}
              hrefOf={hrefOf}
              sort={sort || usualSort}
              onSort={(order) => set('sort', order)}
              onWindow={setWindow}
            />
          )}
        </div>
      </div>
    </>
  )
}

export function Workloads() {
  return (
    <List<WorkloadRow>
      title="Workloads"
      table="workloads"
      what="workload"
      example="state:trouble namespace:shop kind:DaemonSet text"
      usualSort="trouble"
      nothing="Nothing has been applied yet. Use Apply, or kubectl apply -f FILE."
      columns={WORKLOADS}
      keyOf={(row) => row.key}
      hrefOf={(row) => `/console/workloads/${row.key}`}
    />
  )
}

export function Pods() {
  return (
    <List<PodRow>
      title="Pods"
      table="pods"
      what="pod"
      example="state:not-placed device:gw-1 cause:image text"
      usualSort="trouble"
      nothing="No pod has been made yet."
      columns={PODS}
      keyOf={(row) => row.key}
      hrefOf={(row) => `/console/why/${row.key}`}
    />
  )
}

export function Events() {
  return (
    <List<EventRow>
      title="Events"
      table="events"
      what="event"
      example="type:warning reason:FailedScheduling last<10m text"
      usualSort="newest"
      nothing="Nothing has happened in the last hour."
      columns={EVENTS}
      keyOf={(row) => row.key}
      hrefOf={(row) => `/console/events?q=${encodeURIComponent(`about:${row.about.split(' ')[1] ?? ''}`)}`}
    />
  )
}

/** Who did what through the API: kubectl, skerry and this console alike. */
export function Audit() {
  return (
    <List<AuditRow>
      title="Audit"
      table="audit"
      what="act"
      example="who:admin verb:delete kind:rollouts last<1d text"
      usualSort="newest"
      nothing="Nobody has changed anything through the API yet."
      columns={AUDIT}
      keyOf={(row) => row.key}
      hrefOf={(row) => `/console/audit?q=${encodeURIComponent(`about:${row.about.split(' ')[1] ?? ''}`)}`}
    />
  )
}

/** The name has the line for itself: the end of a pod's tells it from its brothers. */
function Name({ row }: { readonly row: { readonly name: string; readonly namespace: string } }) {
  return (
    <>
      <span class="one-line">{row.name}</span> <small class="one-line">{row.namespace}</small>
    </>
  )
}

const WORKLOADS: readonly TableColumn<WorkloadRow>[] = [
  {
    title: 'Workload',
    sort: 'name',
    width: 'minmax(0, 1.4fr)',
    cell: (row) => <Name row={row} />,
  },
  { title: 'State', sort: 'trouble', width: 'minmax(0, 1.6fr)', cell: (row) => <Word tone={row.tone}>{row.says}</Word> },
  { title: 'Kind', sort: 'kind', width: '104px', cell: (row) => row.kind },
  { title: 'Ready', width: '92px', num: true, cell: (row) => `${row.ready} of ${row.desired}` },
  { title: 'Image', width: 'minmax(0, 1.6fr)', cell: (row) => <Image name={row.image} /> },
  { title: 'Age', sort: 'age', width: '76px', num: true, cell: (row) => <Age at={row.createdAtMs} /> },
]

const PODS: readonly TableColumn<PodRow>[] = [
  {
    title: 'Pod',
    sort: 'name',
    width: 'minmax(0, 1.8fr)',
    cell: (row) => <Name row={row} />,
  },
  {
    title: 'State',
    sort: 'trouble',
    width: 'minmax(0, 2fr)',
    cell: (row) => (
      <>
        <Word tone={row.tone}>{row.word}</Word>
        {row.cause === null ? null : (
          <span class="muted one-line" title={row.cause.says}>
            {row.cause.says}
          </span>
        )}
      </>
    ),
  },
  {
    title: 'Device',
    sort: 'device',
    width: 'minmax(0, 1fr)',
    cell: (row) => (row.device === null ? '–' : <a href={`/console/devices/${row.device}`}>{row.device}</a>),
  },
  { title: 'Image', width: 'minmax(0, 1.2fr)', cell: (row) => <Image name={row.image} /> },
  { title: 'Restarts', sort: 'restarts', width: '84px', num: true, cell: (row) => row.restarts },
  { title: 'Age', sort: 'age', width: '76px', num: true, cell: (row) => <Age at={row.createdAtMs} /> },
]

const EVENTS: readonly TableColumn<EventRow>[] = [
  {
    title: 'Reason',
    sort: 'reason',
    width: 'minmax(0, 1.1fr)',
    cell: (row) => (
      <>
        <Mark tone={row.warning ? 'warn' : 'ok'} /> {row.reason}
        {row.warning ? <span class="hidden">, a warning</span> : null}
      </>
    ),
  },
  { title: 'About', width: 'minmax(0, 1.2fr)', cell: (row) => <About about={row.about} /> },
  { title: 'Last', sort: 'newest', width: '76px', num: true, cell: (row) => <Age at={row.atMs} /> },
  {
    title: 'Message',
    width: 'minmax(0, 3fr)',
    below: true,
    cell: (row) => (
      <span class="one-line" title={row.message}>
        {row.message}
        {row.count > 1 ? ` (${row.count} times)` : ''}
      </span>
    ),
  },
]

const AUDIT: readonly TableColumn<AuditRow>[] = [
  { title: 'About', width: 'minmax(0, 1.6fr)', cell: (row) => row.about },
  {
    title: 'What, and who',
    width: 'minmax(0, 1.2fr)',
    cell: (row) => (
      <>
        <Word tone={row.status < 400 ? 'ok' : 'bad'}>{row.verb}</Word> <span class="muted">by {row.who}</span>
      </>
    ),
  },
  { title: 'When', sort: 'newest', width: '76px', num: true, cell: (row) => <Age at={row.atMs} /> },
  {
    title: 'Why, or why not',
    width: 'minmax(0, 2fr)',
    below: true,
    cell: (row) => <span class="one-line">{row.status < 400 ? row.reason || '–' : `refused with ${row.status}`}</span>,
  },
]
