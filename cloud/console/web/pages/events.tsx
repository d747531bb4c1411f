import { EventList } from '../parts/event-list.tsx'
import { FilterBar, useFilter } from '../parts/filter.tsx'
import { events } from '../live-store.ts'

/** What happened lately. */
export function Events() {
  const { text, state } = useFilter()
  const all = events.all()
  const rows = all.filter(
    (row) => `${row.about} ${row.reason} ${row.message}`.includes(text) && (state === '' || row.warning === (state === 'warning')),
  )
  return (
    <>
      <h1>Events</h1>
      <FilterBar what="pod or device" states={['warning', 'normal']} shown={rows.length} total={all.length} />
      <EventList rows={rows} max={300} />
    </>
  )
}
