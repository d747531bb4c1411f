import type { Standing, Tone } from '../../view-model.ts'
import { STANDINGS } from '../../vocabulary.ts'

const SHAPES: Readonly<Record<Tone, string>> = {
  ok: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 10L4 8l1.2-1.2L7 8.500l3.8-3.800L12 6Z',
  busy: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2a5 5 0 0 1 0 10Z',
  warn: 'M8 1 15.5 14.500H.500ZM7.1 5.500v4.600h1.800V5.500Zm0 5.800v1.700h1.800v-1.700Z',
  bad: 'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm2 2.800v5.400h2V3.800Zm0 6.600v2h2v-2Z',
  unknown: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3Z',
}

/** The shapes of the field's dots. */
const DOTS: Readonly<Record<Standing, string>> = {
  failed: 'M1 1h14v14H1Z',
  'not-placed': 'M1 1h14v14H1ZM5 5v6h6V5Z',
  offline:
    'M1 1h3v3H1Zm6 0h3v3H7Zm6 0h2v3h-2ZM4 4h3v3H4Zm6 0h3v3h-3ZM1 7h3v3H1Zm6 0h3v3H7Zm6 0h2v3h-2ZM4 10h3v3H4Zm6 0h3v3h-3ZM1 13h3v2H1Zm6 0h3v2H7Zm6 0h2v2h-2Z',
  degraded: 'M8 1 15 15H1Z',
  updating: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 3v8a4 4 0 0 1 0-8Z',
  'never-seen': 'M1 1h3v2H1Zm5 0h4v2H6Zm6 0h3v2h-3ZM1 6h2v4H1Zm12 0h2v4h-2ZM1 13h3v2H1Zm5 0h4v2H6Zm6 0h3v2h-3Z',
  ok: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z',
}

/** A tone as a shape, so that colour is never the only sign. The words stand beside it. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path fill-rule="evenodd" d={SHAPES[tone]} />
    </svg>
  )
}

/** The dot of a standing, as in the field. */
export function StandingMark({ standing }: { readonly standing: Standing }) {
  return (
    <svg class={`mark dot-${standing}`} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path fill-rule="evenodd" d={DOTS[standing]} />
    </svg>
  )
}

/** A state word with its shape. */
export function Word({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span class={`word ${tone}`}>
      <Mark tone={tone} />
      {children}
    </span>
  )
}

/** A device's word with the shape of its dot; what is not known is hatched. */
export function StandingWord({ standing }: { readonly standing: Standing }) {
  return (
    <span class={`word ${STANDINGS[standing].tone}`} title={STANDINGS[standing].means}>
      <StandingMark standing={standing} />
      {standing}
    </span>
  )
}
