/** What steps and waves that ended teach. After every wave the engine is looked at again: only what is seen is believed. */
import { causeSentence } from '../../protocol/causes.ts'
import { noteCpuTry } from './cpu-lanes.ts'
import { withUnseenOwners } from './cpu-starting.ts'
import { noteStep } from './ledger.ts'
import type { Now, Step } from './model.ts'
import type { AgentEvent, AgentState } from './state.ts'
import { requestObserve, withLedger } from './on-observed.ts'
import { withFetched } from './on-update.ts'
import { stepText } from './render-plan.ts'
import { quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

type StepDone = Extract<AgentEvent, { kind: 'step-done' }>

/** Outcomes of other waves than the running one are late news and ignored; an aborted step did not fail. */
export function onStepDone(state: AgentState, { wave, step, outcome }: StepDone, now: Now): Turn {
  const running = state.wave?.id === wave ? state.wave : state.imageWaves.find((one) => one.id === wave)
  if (running === undefined || (running.aborted && !outcome.ok)) return quiet(state)
  const noted =
    step.kind === 'set-cpus' ? withCpuTry(state, step, outcome, now) : withLedger(state, noteStep(state.ledger, step, outcome, now.monoMs))
  if (outcome.ok) return quiet(withFetched(withVolumes(noted, step), step))
  const next = { ...noted, report: { ...noted.report, dirty: true } }
  const fields = { step: stepText(step), code: outcome.cause.code, why: causeSentence(outcome.cause) }
  return turn(next, { kind: 'log', level: 'warn', msg: 'step failed', fields })
}

/** Never in the ledger: the container runs, and its record is of its own attempts. */
function withCpuTry(state: AgentState, step: Extract<Step, { kind: 'set-cpus' }>, outcome: StepDone['outcome'], now: Now): AgentState {
  const there = (state.observed ?? []).map(({ id }) => id)
  return { ...state, cpuTries: noteCpuTry(state.cpuTries ?? {}, step, outcome, there, now.monoMs) }
}

/** What was written is remembered for this session; after a restart it is compared once more. */
function withVolumes(state: AgentState, step: Step): AgentState {
  const { pods = [], written = {} } = state.volumes ?? {}
  if (step.kind === 'prepare-volumes') {
    const { podUid, digest } = step.volumes
    return { ...state, volumes: { pods: pods.includes(podUid) ? pods : [...pods, podUid], written: { ...written, [podUid]: digest } } }
  }
  if (step.kind !== 'drop-volumes') return state
  const { [step.podUid]: _gone, ...others } = written
  return { ...state, volumes: { pods: pods.filter((uid) => uid !== step.podUid), written: others } }
}

export function onWaveDone(state: AgentState, wave: number): Turn {
  const imageWaves = state.imageWaves.filter((one) => one.id !== wave)
  const ended = state.wave?.id === wave ? state.wave : state.imageWaves.find((one) => one.id === wave)
  if (ended === undefined) return quiet(state)
  const timing = { ...state.timing, fresh: false, inFlightStale: state.observing }
  return requestObserve({ ...withUnseenOwners(state, ended), wave: state.wave?.id === wave ? null : state.wave, imageWaves, timing })
}
