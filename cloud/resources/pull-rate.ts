/** `skerry.dev/pull-rate` on pods and templates, and `bandwidth` of a Rollout, which becomes it: bytes a second by link class. */
import { LIMITS } from '../../protocol/limits.ts'
import type { LinkClass } from '../../protocol/link.ts'
import type { PullRate } from '../../protocol/pull-rate.ts'
import type { Issue } from '../../protocol/shape.ts'
import { formatBytes, parseUnits } from '../../protocol/units.ts'

export const PULL_RATE_ANNOTATION = 'skerry.dev/pull-rate'
const CLASSES: readonly LinkClass[] = ['metered', 'unmetered']

/** As a Rollout has it: quantities. */
export interface Bandwidth {
  readonly metered?: string | number
  readonly unmetered?: string | number
}

/** The rate, or what is wrong with it: each with its class. */
function rateOf(bandwidth: Bandwidth): { readonly rate: PullRate; readonly faults: readonly { readonly of: LinkClass; readonly why: string }[] } {
  const [min, max] = [LIMITS.pullRateMin.value, LIMITS.pullRateMax.value]
  const rate: { -readonly [C in LinkClass]?: number } = {}
  const faults: { of: LinkClass; why: string }[] = []
  for (const of of CLASSES) {
    const given = bandwidth[of]
    if (given === undefined) continue
    const bytes = parseUnits(given)
    if (bytes !== null && bytes >= min && bytes <= max) rate[of] = bytes
    else faults.push({ of, why: `must be bytes a second from ${formatBytes(min)} to ${formatBytes(max)}, such as 200Ki, is ${given}` })
  }
  return { rate, faults }
}

export function bandwidthIssues(bandwidth: Bandwidth | undefined): readonly Issue[] {
  if (bandwidth === undefined) return []
  if (bandwidth.metered === undefined && bandwidth.unmetered === undefined)
    return [{ path: 'spec.bandwidth', kind: 'required', message: 'needs metered, unmetered, or both' }]
  return rateOf(bandwidth).faults.map(({ of, why }): Issue => ({ path: `spec.bandwidth.${of}`, kind: 'invalid', message: why }))
}

/** null = no limit */
export function pullRateOf(bandwidth: Bandwidth | undefined): PullRate | null {
  const { rate } = rateOf(bandwidth ?? {})
  return Object.keys(rate).length === 0 ? null : rate
}

/** The annotation that says so: `metered=200Ki,unmetered=2Mi`. */
export function rateAnnotation(bandwidth: Bandwidth): string {
  return CLASSES.flatMap((of) => (bandwidth[of] === undefined ? [] : [`${of}=${bandwidth[of]}`])).join(',')
}

type Annotations = Readonly<Record<string, string>> | undefined

/** null = nothing is said, or nothing that could be read */
export function annotatedRate(annotations: Annotations): PullRate | null {
  const read = readText(annotations?.[PULL_RATE_ANNOTATION])
  return typeof read === 'string' ? null : pullRateOf(read)
}

/** `at` is where the metadata stands. */
export function pullRateIssues(annotations: Annotations, at: string): readonly Issue[] {
  const text = annotations?.[PULL_RATE_ANNOTATION]
  if (text === undefined) return []
  const read = readText(text)
  const [why] = typeof read === 'string' ? [read] : rateOf(read).faults.map((fault) => `${fault.of} ${fault.why}`)
  return why === undefined ? [] : [{ path: `${at}.annotations[${JSON.stringify(PULL_RATE_ANNOTATION)}]`, kind: 'invalid', message: why }]
}

function readText(text: string | undefined): Bandwidth | string {
  const pairs = (text ?? '').split(',').map((pair) => /^\s*(metered|unmetered)=(\S{1,64})\s*$/.exec(pair))
  if (text === undefined || pairs.includes(null)) return `${JSON.stringify((text ?? '').slice(0, 64))} is not "metered=200Ki,unmetered=2Mi"`
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
}
