import type { EventRow } from '../../view-model.ts'
import { Age } from './age.tsx'
import { Mark } from './mark.tsx'

/** Events, in the order given. */
export function EventList({ rows }: { readonly rows: readonly EventRow[] }) {
  if (rows.length === 0) return <p class="muted">Nothing has happened in the last hour.</p>
  return (
    <ol class="events">
      {rows.map((row) => (
        <li key={row.key}>
          <span class="when">
            <Age at={row.atMs} />
          </span>
          <Mark tone={row.warning ? 'warn' : 'ok'} />
          <p>
            <b>{row.reason}</b>{' '}
            <span class="muted">
              <About about={row.about} />
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

/** What an event is about, as a link where there is a page. */
export function About({ about }: { readonly about: string }) {
  const [kind = '', key = ''] = about.split(' ')
  const href = hrefOf(kind, key)
  return href === null ? <>{about}</> : <a href={href}>{about}</a>
}

function hrefOf(kind: string, key: string): string | null {
  if (kind === 'Node') return `/console/devices/${key}`
  if (kind === 'Pod') return `/console/why/${key}`
  if (kind === 'Rollout') return `/console/rollouts/${key}`
  return ['Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'].includes(kind) ? `/console/workloads/${kind}/${key}` : null
}
