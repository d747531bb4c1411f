import type { DeviceRow } from '../../view-model.ts'
import { plural } from '../words.ts'
import { Mark } from './mark.tsx'

/** More than this many links help nobody: the list with its filter does. */
const MOST = 1200

/** Every device a dot; the shape says its state, the name is read and shown on hover and focus. */
export function Dots({ rows }: { readonly rows: readonly DeviceRow[] }) {
  const drawn = rows.slice(0, MOST)
  return (
    <>
      <ul class="dots">
        {drawn.map((row) => (
          <li key={row.name}>
            <Dot name={row.name} word={row.word} tone={row.tone} />
          </li>
        ))}
      </ul>
      {rows.length > MOST ? (
        <p class="muted">
          and {plural(rows.length - MOST, 'more device')} in <a href="/console/devices">the list</a>
        </p>
      ) : null}
    </>
  )
}

function Dot({ name, word, tone }: Pick<DeviceRow, 'name' | 'word' | 'tone'>) {
  const says = `${name}: ${word}`
  return (
    <a href={`/console/devices/${name}`} class={tone} aria-label={says} title={says}>
      <Mark tone={tone} />
    </a>
  )
}
