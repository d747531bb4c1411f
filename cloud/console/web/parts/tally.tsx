import type { Tone } from '../../view-model.ts'
import { Mark } from './mark.tsx'

export interface Count {
  readonly word: string
  readonly tone: Tone
  readonly count: number
  readonly href: string
}

/** Counts that are links to their members, worst first. Zeros are left out except the good one. */
export function Tally({ title, counts }: { readonly title: string; readonly counts: readonly Count[] }) {
  const shown = counts.flatMap((one): readonly Count[] => (one.count > 0 ? [one] : one.tone === 'ok' ? [{ ...one, tone: 'unknown' }] : []))
  return (
    <section class="tally" aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {shown.map((one) => (
          <li key={one.word}>
            <a class={one.tone} href={one.href}>
              <strong>{one.count}</strong>
              <span>
                <Mark tone={one.tone} />
                {one.word}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
