/**
 * A Rollout's text as the fields of a form, and a field's change as a change of the text. The text is the only truth: comments and
 * fields that the form does not know stay as they were written. Pure.
 */
import { isMap, isSeq, parseAllDocuments } from 'yaml'
import type { Document } from 'yaml'

export type Span = 'count' | 'percent' | 'rest' | 'other'

export interface WaveDraft {
  readonly name: string
  /** other = by selector or by names: written by hand */
  readonly span: Span
  readonly amount: number
  readonly approval: boolean
}

export interface RolloutDraft {
  readonly name: string
  readonly namespace: string
  readonly daemonSet: string
  /** container -> image that it is to have */
  readonly images: Readonly<Record<string, string>>
  readonly waves: readonly WaveDraft[]
  /** '' = not said */
  readonly healthyPercent: string
  readonly soakSeconds: string
  readonly maxFailurePercent: string
}

type Path = readonly (string | number)[]

/** null when the text is not one Rollout that can be read. */
export function readDraft(text: string): RolloutDraft | null {
  const document = onlyRollout(text)
  if (document === null) return null
  const at = (path: Path): unknown => document.getIn(path)
  const words = (path: Path): string => {
    const value = at(path)
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  const images = document.getIn(['spec', 'release', 0, 'images'])
  const waves = document.getIn(['spec', 'waves'])
  return {
    name: words(['metadata', 'name']),
    namespace: words(['metadata', 'namespace']) || 'default',
    daemonSet: words(['spec', 'release', 0, 'daemonSet']),
    images: isMap(images) ? (images.toJSON() as Record<string, string>) : {},
    waves: isSeq(waves) ? (waves.toJSON() as readonly unknown[]).map(waveOf) : [],
    healthyPercent: words(['spec', 'gate', 'healthyPercent']),
    soakSeconds: words(['spec', 'gate', 'soakSeconds']),
    maxFailurePercent: words(['spec', 'gate', 'maxFailurePercent']),
  }
}

function waveOf(value: unknown): WaveDraft {
  const wave = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  const { name, count, percent, approval } = wave
  const span: Span =
    typeof count === 'number' ? 'count' : typeof percent === 'number' ? 'percent' : 'selector' in wave || 'names' in wave ? 'other' : 'rest'
  return { name: typeof name === 'string' ? name : '', span, amount: Number(count ?? percent ?? 0), approval: approval === true }
}

/** The text with one field set; `undefined` takes it out. The text itself when it cannot be read. */
export function withField(text: string, path: Path, value: string | number | boolean | undefined): string {
  const document = onlyRollout(text)
  if (document === null) return text
  if (value === undefined) document.deleteIn(path)
  else document.setIn(path, value)
  return textOf(document)
}

export function withSpan(text: string, wave: number, span: Span, amount: number): string {
  const document = onlyRollout(text)
  if (document === null || span === 'other') return text
  for (const one of ['count', 'percent']) document.deleteIn(['spec', 'waves', wave, one])
  if (span !== 'rest') document.setIn(['spec', 'waves', wave, span], amount)
  return textOf(document)
}

/** A new wave goes before the last one: the last one takes the rest. */
export function withWave(text: string): string {
  const document = onlyRollout(text)
  const waves = document?.getIn(['spec', 'waves'])
  if (document === null) return text
  const wave = document.createNode({ name: `wave-${isSeq(waves) ? waves.items.length : 1}`, percent: 25 }, { flow: true })
  if (isSeq(waves)) waves.items.splice(Math.max(0, waves.items.length - 1), 0, wave)
  else document.setIn(['spec', 'waves'], [wave])
  return textOf(document)
}

export function withoutWave(text: string, wave: number): string {
  return withField(text, ['spec', 'waves', wave], undefined)
}

function onlyRollout(text: string): Document | null {
  const documents = parseAllDocuments(text)
  const [document] = documents
  if (document === undefined || documents.length !== 1 || document.errors.length > 0) return null
  return isMap(document.contents) && document.get('kind') === 'Rollout' ? document : null
}

function textOf(document: Document): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: true })
}
