/** Stops a container: its preStop hook first, both within the grace period. A hook that fails does not hold up the stop. */
import { LIMITS } from '../../protocol/limits.ts'
import type { Outcome, Step } from '../core/model.ts'
import type { Clock, Engine, Volumes } from '../ports.ts'
import type { Prober } from './probe-runner.ts'

export interface StopParts {
  readonly engine: Engine
  readonly volumes?: Volumes | undefined
  readonly prober: Prober
  readonly clock: Clock
  /** where what shares CPUs may run now; null = anywhere */
  readonly sharedCpus: () => string | null
}

export async function stopContainer({ engine, prober, clock }: StopParts, step: Extract<Step, { kind: 'stop' }>): Promise<Outcome> {
  const { target, graceSeconds, preStop } = step
  if (preStop === undefined) return engine.stop(target, graceSeconds)
  const begun = clock.now().monoMs
  await prober.run(preStop, graceSeconds * 1000)
  const leftMs = graceSeconds * 1000 - (clock.now().monoMs - begun)
  // whole seconds are what engines take
  return engine.stop(target, Math.ceil(Math.max(leftMs, LIMITS.stopGraceMinMs.value) / 1000))
}
