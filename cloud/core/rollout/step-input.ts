/** What a step of a rollout reads. */
import type { TelemetrySample } from '../../../protocol/telemetry.ts'
import type { Labels } from '../../resources/label-selector.ts'
import type { RolloutChange } from '../../resources/rollout-history.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { RolloutPhase, RolloutStatus } from '../../resources/rollout-status.ts'
import type { NodeFacts } from './facts.ts'
import type { Candidate } from './freeze.ts'
import type { JudgeRules } from './judge.ts'

export interface StepInput {
  readonly spec: RolloutSpec
  readonly generation: number
  readonly history: readonly RolloutChange[]
  readonly status: RolloutStatus
  readonly members: readonly RolloutMember[]
  /** null = the device is gone */
  factsOf(node: string): NodeFacts | null
  labelsOf(node: string): Labels | undefined
  readonly nextHash: JudgeRules['nextHash']
  /** devices that match and are no members yet */
  readonly joiners: readonly Candidate[]
  /** readings of a device that are kept, oldest first */
  samplesOf(node: string): readonly TelemetrySample[]
  /** since when this cloud hears devices */
  readonly listensMs: number
  readonly nowMs: number
}

/** Milliseconds of a stamp in the status; 0 = never. */
export function timeOf(stamp: string | undefined): number {
  return stamp === undefined ? 0 : Date.parse(stamp)
}

const ENDED: ReadonlySet<RolloutPhase | undefined> = new Set<RolloutPhase>(['Completed', 'CompletedWithSkips', 'Aborted'])

export function hasEnded(status: RolloutStatus | undefined): boolean {
  return ENDED.has(status?.phase)
}
