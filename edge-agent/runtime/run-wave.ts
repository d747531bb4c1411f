/**
 * Runs the lanes of one wave. INVARIANTS: at most `laneConcurrency` steps run at once; the steps of a lane run in order and
 * its first failure ends it; after an abort no further step begins and pulls end; `done` always resolves.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Lane, Outcome, Step } from '../core/model.ts'
import { runStep, stepLimitMs, stepName } from './run-step.ts'
import type { StopParts } from './stop-step.ts'
import type { Watchdog } from './watchdog.ts'

export interface RunningWave {
  abort(): void
  readonly done: Promise<void>
}

export function runWave(parts: StopParts, watchdog: Watchdog, lanes: readonly Lane[], onStep: (step: Step, outcome: Outcome) => void): RunningWave {
  const closer = new AbortController()
  const { signal } = closer
  let next = 0

  const runLane = async (lane: Lane): Promise<void> => {
    for (const step of lane.steps) {
      if (signal.aborted) return
      const ended = watchdog.watch(stepName(step), stepLimitMs(step))
      const outcome = await runStep(parts, step, signal)
      ended()
      onStep(step, outcome)
      if (!outcome.ok) return
    }
  }
  const worker = async (): Promise<void> => {
    for (let lane = lanes[next++]; lane !== undefined; lane = lanes[next++]) await runLane(lane)
  }
  const workers = Array.from({ length: Math.min(LIMITS.laneConcurrency.value, lanes.length) }, worker)
  return { abort: () => closer.abort(), done: Promise.all(workers).then(() => undefined) }
}
