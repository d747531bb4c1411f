import type { Tone } from '../../view-model.ts'

const SHAPES: Readonly<Record<Tone, string>> = {
  ok: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-1 10L4 8l1.2-1.2L7 8.5l3.8-3.8L12 6Z',
  busy: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2a5 5 0 0 1 0 10Z',
  warn: 'M8 1 15.5 14.5H.5ZM7.1 5.5v4.6h1.8V5.500Zm0 5.8v1.700h1.800v-1.700Z',
  bad: 'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm2 2.800v5.400h2V3.800Zm0 6.600v2h2v-2Z',
  unknown: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3Z',
}

/** A tone as a shape, so that colour is never the only sign. The words stand beside it. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path fill-rule="evenodd" d={SHAPES[tone]} />
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
