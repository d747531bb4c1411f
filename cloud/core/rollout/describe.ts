/** The status of a rollout as people and programs read it: numbers of waves, failures by cause, one sentence. */
import { causeSentence } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import { readingText } from '../../resources/rollout-metric.ts'
import { gateOf } from '../../resources/rollout-spec.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { FailureGroup, MetricStatus, RolloutStatus, WaveStatus } from '../../resources/rollout-status.ts'
import { hasTarget } from './choice.ts'
import { isFailure, shownCounts } from './counts.ts'
import { waveName } from './freeze.ts'
import { evaluateGate, gateNumbers, silenceOf } from './gate.ts'
import type { Measured } from './measure.ts'
import type { Hold, WavePlan } from './release.ts'

const EXAMPLES = 5

export function describeStatus(
  input: { readonly spec: RolloutSpec; readonly status: RolloutStatus },
  plan: WavePlan,
  hold: Hold | null,
  members: readonly RolloutMember[],
): RolloutStatus {
  const { spec, status } = input
  const total = plan.tallies.total()
  const waves = Array.from({ length: plan.waveCount }, (_, index) => waveStatus(input, plan, index + 1, hold))
  const next = { ...status, counts: shownCounts(total.counts), waves, failures: failureGroups(members) }
  const returned = spec.rolledBackWaves ?? []
  return { ...next, ...(returned.length === 0 ? {} : { returnedWaves: returned }), message: sentence(spec, next, hold) }
}

function waveStatus(
  { spec, status }: { readonly spec: RolloutSpec; readonly status: RolloutStatus },
  plan: WavePlan,
  number: number,
  hold: Hold | null,
): WaveStatus {
  const before = status.waves?.find((wave) => wave.number === number)
  const tally = plan.tallies.wave(number)
  const gate = gateOf(spec, plan.waves[number - 1])
  const released = status.releasedWave ?? 0
  const metrics = metricsOf(plan, number, released, before)
  const waits = hold !== null && (hold.kind === 'approval' ? number === released + 1 : number === released)
  return {
    number,
    name: waveName(plan.waves, number),
    state: stateOf(spec, status, plan, number, hold, metrics),
    counts: shownCounts(tally.counts),
    ...(before?.startedAt === undefined ? {} : { startedAt: before.startedAt }),
    ...(before?.passedAt === undefined ? {} : { passedAt: before.passedAt }),
    gate: { ...gateNumbers(tally, gate, silenceOf(spec)), ...(metrics.length === 0 ? {} : { metrics }) },
    ...(waits ? { waitsFor: hold.cause } : {}),
  }
}

/** Of the newest wave as they are now; a wave that is behind, and a rollout that stands still, keep what was seen then. */
function metricsOf(plan: WavePlan, number: number, released: number, before: WaveStatus | undefined): readonly MetricStatus[] {
  const now = number <= released ? plan.measured(number) : null
  return now === null ? (before?.gate?.metrics ?? []) : now.map(shownMetric)
}

function shownMetric({ metric, base, within, outside, unknown, value, kind }: Measured): MetricStatus {
  const { reading, says, percent, forMs } = metric
  const state = kind === 'passed' ? 'Passed' : kind === 'waits' ? 'Waits' : 'Missed'
  return {
    says,
    state,
    base,
    within,
    outside,
    unknown,
    wantedPercent: percent,
    forSeconds: forMs / 1000,
    ...(value === null ? {} : { value: readingText(reading, value) }),
  }
}

function stateOf(
  spec: RolloutSpec,
  status: RolloutStatus,
  plan: WavePlan,
  number: number,
  hold: Hold | null,
  metrics: readonly MetricStatus[],
): WaveStatus['state'] {
  const released = status.releasedWave ?? 0
  if ((spec.rolledBackWaves ?? []).includes(number) || spec.abort === 'Return') return 'RolledBack'
  if (number > released) return hold?.kind === 'approval' && number === released + 1 ? 'WaitingApproval' : 'Pending'
  if (number < released) return 'Passed'
  const gate = evaluateGate(number, plan.tallies.wave(number), gateOf(spec, plan.waves[number - 1]), silenceOf(spec))
  return gate.kind === 'passed' && metrics.every((metric) => metric.state === 'Passed') ? 'Passed' : 'Running'
}

/** Failures that differ only in numbers are one group. */
function failureGroups(members: readonly RolloutMember[]): readonly FailureGroup[] {
  const groups = new Map<string, { code: string; sentence: string; count: number; examples: string[] }>()
  for (const { verdict, cause, node } of members) {
    if (!isFailure(verdict) || cause === undefined) continue
    const sentence = causeSentence(cause)
    const key = `${cause.code} ${sentence.replaceAll(/\d+/g, '#')}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { code: cause.code, sentence: sentence.slice(0, 1024), count: 1, examples: [node] })
    else {
      group.count += 1
      if (group.examples.length < EXAMPLES) group.examples.push(node)
    }
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count).slice(0, LIMITS.rolloutFailureGroups.value)
}

function sentence(spec: RolloutSpec, status: RolloutStatus, hold: Hold | null): string {
  const counts = status.counts ?? {}
  const share = `${counts.done ?? 0} of ${counts.members ?? 0} devices are done`
  const wave = `wave ${status.releasedWave ?? 0} of ${status.waves?.length ?? 0}`
  switch (status.phase) {
    case 'Paused':
      return `Paused${status.pausedBy === 'rule' ? ' by rule' : ''} in ${wave}: ${status.cause === undefined ? '' : causeSentence(status.cause)}`
    case 'WaitingApproval':
      return hold === null ? share : causeSentence(hold.cause)
    case 'RollingBack':
      return `Devices that go back now: ${counts.returning ?? 0}; when they return: ${counts.offline ?? 0}.`
    case 'Aborted':
      return spec.abort === 'Stay' ? `Aborted; ${counts.done ?? 0} devices stay on the new revision.` : 'Aborted; nobody is on the new revision.'
    case 'Completed':
    case 'CompletedWithSkips':
      return `Completed: ${share}${restOf(counts)}.${hasTarget(spec) ? ' They keep the new revision as long as this Rollout exists.' : ''}`
    default:
      return hold === null ? `${share}, ${wave}.` : `${share}, ${wave}. ${causeSentence(hold.cause)}`
  }
}

function restOf(counts: NonNullable<RolloutStatus['counts']>): string {
  const rest = [
    [(counts.failed ?? 0) + (counts.rolledBackByDevice ?? 0), 'failed'],
    [counts.offline ?? 0, 'offline'],
    [(counts.skipped ?? 0) + (counts.returned ?? 0), 'left out'],
    [counts.held ?? 0, 'held on site'],
  ].filter(([count]) => count !== 0)
  return rest.length === 0 ? '' : `; ${rest.map(([count, word]) => `${count} ${word}`).join(', ')}`
}
