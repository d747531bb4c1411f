/**
 * The loop: event -> reduce -> effects -> their outcomes back as events.
 *
 * INVARIANTS
 * - Single-flight: one event is reduced at a time, in the order of arrival; an event that comes meanwhile waits.
 * - The state changes only here and only through `reduce`; everybody else reads it.
 * - The queue is bounded: wake-ups wait at most once each, and every other event is the answer of an effect or news whose
 *   sender keeps only the newest.
 * - Effects run beside the loop and never block it.
 */
import type { AgentEvent, AgentState, Effect } from '../core/state.ts'
import { sharedCpusNow } from '../core/cpu-pool.ts'
import { startingOwners } from '../core/cpu-starting.ts'
import { reduce } from '../core/reducer.ts'
import { createEffectRunner } from './run-effect.ts'
import type { EffectPorts } from './run-effect.ts'

export interface Loop {
  dispatch(event: AgentEvent): void
  state(): AgentState
  /** no event is taken any more; workloads keep running */
  stop(): Promise<void>
}

export interface LoopOptions {
  readonly initial: AgentState
  readonly ports: EffectPorts
  /** the reducer failed on the answer of an effect, so the state waits for ever for it: only a new process helps */
  readonly onBroken: (event: AgentEvent, error: unknown) => void
  /** the engine said who it is, at the start or after it was away */
  readonly onEngineInfo?: () => void
  /** after each event that changed something */
  readonly onChanged?: (before: AgentState, after: AgentState) => void
}

/** Answers without which the state cannot go on. Other events may be dropped: news comes again. */
const ANSWERS: ReadonlySet<AgentEvent['kind']> = new Set([
  'loaded',
  'saved',
  'save-failed',
  'observed',
  'observe-failed',
  'step-done',
  'wave-done',
  'probe-result',
])
const WAKE_UPS: ReadonlySet<AgentEvent['kind']> = new Set(['tick', 'engine-event', 'report-asked'])

export function startLoop({ initial, ports, onBroken, onEngineInfo, onChanged }: LoopOptions): Loop {
  const { clock, log } = ports
  let state = initial
  let stopped = false
  let reducing = false
  const waiting: AgentEvent[] = []

  const dispatch = (event: AgentEvent): void => {
    if (stopped || (WAKE_UPS.has(event.kind) && waiting.some((other) => other.kind === event.kind))) return
    waiting.push(event)
    if (reducing) return
    reducing = true
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) turn(next)
    reducing = false
  }
  const runner = createEffectRunner(ports, dispatch, () => sharedCpusOf(state))

  const turn = (event: AgentEvent): void => {
    let effects: readonly Effect[]
    const before = state
    try {
      ;({ state, effects } = reduce(state, event, clock.now()))
    } catch (error) {
      log.error('an event could not be taken', { event: event.kind, why: error instanceof Error ? (error.stack ?? error.message) : String(error) })
      if (ANSWERS.has(event.kind)) onBroken(event, error)
      return
    }
    for (const effect of effects) runner.run(effect)
    if (state !== before) onChanged?.(before, state)
    if (event.kind === 'engine-info') onEngineInfo?.()
  }

  return {
    dispatch,
    state: () => state,
    stop: async () => {
      stopped = true
      await runner.stop()
    },
  }
}

function sharedCpusOf(state: AgentState): string | null {
  const { desired, observed, inventory, pressure } = state
  const evicted = new Set(Object.keys(pressure.evicted))
  return sharedCpusNow({ desired, observed: observed ?? [], inventory, evicted, starting: startingOwners(state) })
}
