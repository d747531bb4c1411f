import type { EventRow } from '../../view-model.ts'
import { Age } from './age.tsx'
import { Mark } from './mark.tsx'

/** Events, newest first. */
export function EventList({ rows, max }: { readonly rows: readonly EventRow[]; readonly max: number }) {
  if (rows.length === 0) return <p class="muted">Nothing has happened in the last hour.</p>
  const newest = rows.toSorted((a, b) => b.atMs - a.atMs).slice(0, max)
  return (
    <ol class="events">
      {newest.map((row) => (
        <li key={row.key}>
          <span class="when">
            <Age at={row.atMs} />
          </span>
          <Mark tone={row.warning ? 'warn' : 'ok'} />
          <p>
            <b>{row.reason}</b>{' '}
            <span class="muted">
              {row.about}
              {row.count > 1 ? `, ${row.count} times` : ''}
            </span>
            <br />
            {row.message}
          </p>
        </li>
      ))}
    </ol>
  )
}
