/** The decision log of a rollout: bounded, newest last, each entry once. */
import type { Cause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import type { RolloutChange } from '../../resources/rollout-history.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { Decision, RolloutStatus } from '../../resources/rollout-status.ts'
import { isoOf } from './judge.ts'

export class DecisionLog {
  readonly #entries: Decision[]
  readonly #nowMs: number

  constructor(before: readonly Decision[], nowMs: number) {
    this.#entries = [...before]
    this.#nowMs = nowMs
  }

  /** What the rules decided by themselves. */
  rule(action: string, wave: number | null, cause: Cause | null): void {
    this.#entries.push({
      at: isoOf(this.#nowMs),
      by: 'rule',
      action,
      ...(wave === null ? {} : { wave }),
      ...(cause === null ? {} : { cause }),
    })
  }

  /** What people did since the last look. */
  people(history: readonly RolloutChange[], status: RolloutStatus, spec: RolloutSpec): void {
    for (const change of history) {
      if (change.generation <= (status.loggedGeneration ?? 0)) continue
      for (const action of change.actions) {
        const wave = waveOf(action, spec)
        this.#entries.push({
          at: change.at,
          by: change.by,
          action,
          ...(wave === undefined ? {} : { wave }),
          ...(change.reason === undefined ? {} : { reason: change.reason }),
        })
      }
    }
  }

  entries(): readonly Decision[] {
    return this.#entries.slice(-LIMITS.rolloutDecisions.value)
  }
}

/** Highest generation that the log covers. */
export function loggedUpTo(history: readonly RolloutChange[], status: RolloutStatus): number {
  return history.reduce((highest, change) => Math.max(highest, change.generation), status.loggedGeneration ?? 0)
}

function waveOf(action: string, spec: RolloutSpec): number | undefined {
  if (action === 'approved') return spec.approvedWave
  if (action === 'promoted') return spec.promotedWave
  return action === 'rolled-back' ? spec.rolledBackWaves?.at(-1) : undefined
}
