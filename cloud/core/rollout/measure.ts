/**
 * What the devices of a wave that are done show of one metric. Level, not edge: everything it looks at is stored or is asked for
 * anew, so that a cloud that restarts measures again instead of remembering wrongly.
 */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import { spread } from '../../../protocol/text-hash.ts'
import { readingText } from '../../resources/rollout-metric.ts'
import type { FullMetric } from '../../resources/rollout-metric.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'

export interface Measured {
  readonly metric: FullMetric
  /** devices that were measured: all of the wave that are done, or as many of them as the table allows */
  readonly base: number
  readonly within: number
  readonly outside: number
  readonly unknown: number
  /** of all whose value is known; of a Share the mean */
  readonly value: number | null
  readonly kind: 'passed' | 'waits' | 'missed'
  readonly cause: Cause
}

export interface MeasureInput {
  readonly wave: number
  /** see measuredMembers */
  readonly members: readonly RolloutMember[]
  /** what came before counts no longer: somebody saw it and went on */
  readonly resumedMs: number
  /** since when this cloud listens: it does not blame devices for what it could not hear */
  readonly listensMs: number
  readonly nowMs: number
  /** null = not known */
  valueOf(node: string, metric: FullMetric, sinceMs: number): number | null
}

/** The devices of a wave that are done; of very many always the same part. */
export function measuredMembers(members: readonly RolloutMember[], wave: number): readonly RolloutMember[] {
  const done = members.filter((member) => member.wave === wave && member.verdict === 'done' && member.template === 'next')
  const max = LIMITS.rolloutMeasured.value
  if (done.length <= max) return done
  const placed = done.map((member) => ({ member, place: spread(member.node) }))
  // places are even, so that half as many more than are wanted is nearly always enough, and little has to be sorted
  const near = placed.filter(({ place }) => place < (1.5 * max) / done.length)
  return (near.length < max ? placed : near)
    .toSorted((a, b) => a.place - b.place)
    .slice(0, max)
    .map(({ member }) => member)
}

export function measure(metric: FullMetric, input: MeasureInput): Measured {
  const { members, resumedMs } = input
  const values = members.map(({ node, since }) => input.valueOf(node, metric, Math.max(since, resumedMs)))
  const known = values.filter((value) => value !== null)
  const base = members.length
  const within = known.filter((value) => isWithin(metric, value)).length
  const counts = { base, within, outside: known.length - within, unknown: base - known.length, value: aggregateOf(metric, known) }
  const kind = kindOf(metric, counts)
  const late = kind === 'waits' && input.nowMs >= deadlineOf(metric, input)
  return { metric, ...counts, kind: late ? 'missed' : kind, cause: causeOf(metric, input.wave, counts, late ? 'late' : kind) }
}

type Counted = Pick<Measured, 'base' | 'within' | 'outside' | 'unknown' | 'value'>

function kindOf(metric: FullMetric, { base, within, outside, unknown, value }: Counted): Measured['kind'] {
  const wanted = metric.percent * base
  if (metric.aggregate !== 'Share') {
    if ((base - unknown) * 100 < wanted) return 'waits'
    return value === null || isWithin(metric, value) ? 'passed' : 'missed'
  }
  if (within * 100 >= wanted) return 'passed'
  return (base - outside) * 100 >= wanted ? 'waits' : 'missed'
}

/** Counted from the last device that was done; and a cloud that has just begun to listen hears a whole span first. */
function deadlineOf({ deadlineMs, forMs }: FullMetric, { members, resumedMs, listensMs }: MeasureInput): number {
  const last = members.reduce((latest, { since }) => Math.max(latest, since), resumedMs)
  return Math.max(last + deadlineMs, listensMs + forMs + LIMITS.rolloutReadingStaleMs.value)
}

function isWithin({ min, max }: FullMetric, value: number): boolean {
  return value >= min && value <= max
}

function aggregateOf({ aggregate }: FullMetric, known: readonly number[]): number | null {
  if (known.length === 0) return null
  if (aggregate !== 'P95') return known.reduce((sum, value) => sum + value, 0) / known.length
  const sorted = known.toSorted((a, b) => a - b)
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? null
}

function causeOf(metric: FullMetric, wave: number, counts: Counted, kind: Measured['kind'] | 'late'): Cause {
  const { says, percent, deadlineMs, reading } = metric
  const value = counts.value === null ? 'not known' : readingText(reading, counts.value)
  const facts = { wave, says, value, base: counts.base, within: counts.within, outside: counts.outside, unknown: counts.unknown, wanted: percent }
  if (kind === 'passed') return cause('rollout.gate.measured', facts)
  if (kind === 'waits') return cause('rollout.gate.measuring', facts)
  return kind === 'late' ? cause('rollout.gate.unknown', { ...facts, seconds: deadlineMs / 1000 }) : cause('rollout.gate.outside', facts)
}
