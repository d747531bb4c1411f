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
  const shown = counts.filter((one) => one.count > 0 || one.tone === 'ok')
  return (
    <section class="tally" aria-label={title}>
      <h2>{title}</h2>
      <ul>{shown.map((one) => (
        <li key={one.word}><a class={one.tone} href={one.href}><strong>{one.count}</strong><span><Mark tone={one.tone} />{one.word}</span></a></li>
      ))}</ul>
    </section>
  )
}
