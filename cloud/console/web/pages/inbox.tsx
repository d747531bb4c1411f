import { Age } from '../parts/age.tsx'
import { useWish } from '../use-wish.ts'

const KINDS = { approval: 'Waits for approval', paused: 'Paused by rule', override: 'Held on site' } as const

/** Everything that goes on only when somebody decides. */
export function Inbox() {
  const part = useWish({ part: 'inbox' })
  if (part === undefined) return <p role="status">Loading…</p>
  return (
    <>
      <h1>Waiting for you</h1>
      {part.decisions.length === 0 ? <p class="empty">Nothing waits for a decision.</p> : null}
      <ul class="inbox">
        {part.decisions.map((one) => (
          <li key={one.key}>
            <span class="tag">{KINDS[one.kind]}</span>
            <p>
              <a href={one.href}>{one.says}</a>
            </p>
            <span class="muted">{one.sinceMs === null ? '' : <Age at={one.sinceMs} />}</span>
          </li>
        ))}
      </ul>
    </>
  )
}
