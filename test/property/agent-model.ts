/** A container engine in a few lines, and a world that runs the reducer against it until it is quiet. */
import { initialState } from '../../edge-agent/core/initial-state.ts'
import type { ObservedContainer, Outcome, Step } from '../../edge-agent/core/model.ts'
import type { Loaded } from '../../edge-agent/core/saved-model.ts'
import type { AgentEvent, AgentState, Effect } from '../../edge-agent/core/state.ts'
import { reduce } from '../../edge-agent/core/reducer.ts'
import { cause } from '../../protocol/causes.ts'
import { DEVICE } from '../agent-world.ts'

const OK: Outcome = { ok: true }
const refuse = (why: string): Outcome => ({ ok: false, cause: cause('engine.error', { why }) })

/** `foreign` containers are on the engine but carry no label of ours: they are never listed. */
export class ModelEngine {
  readonly containers = new Map<string, ObservedContainer>()
  readonly foreign: Set<string>
  made = 0

  constructor(owned: readonly ObservedContainer[], foreign: readonly string[] = []) {
    for (const one of owned) this.containers.set(one.id, one)
    this.foreign = new Set(foreign)
  }

  list(): readonly ObservedContainer[] {
    return [...this.containers.values()]
  }

  /** what the engine does by itself */
  settle(): void {
    for (const one of this.list()) {
      if (one.state === 'restarting') this.containers.set(one.id, { ...one, state: 'running' })
      if (one.state === 'removing') this.containers.delete(one.id)
    }
  }

  run(step: Step): Outcome {
    if (step.kind === 'ensure-image') return OK
    if (step.kind === 'create') return this.create(step)
    if (step.kind === 'prepare-volumes' || step.kind === 'drop-volumes') return OK
    if (this.foreign.delete(step.target)) return OK
    const one = this.containers.get(step.target) ?? this.list().find((other) => other.name === step.target)
    if (one === undefined) return step.kind === 'start' ? refuse('no such container') : OK
    if (step.kind === 'start') return this.start(one)
    if (step.kind === 'stop') return this.stop(one)
    if (one.state === 'running' || one.state === 'paused' || one.state === 'restarting') return refuse('it runs')
    this.containers.delete(one.id)
    return OK
  }

  create({ plan }: Extract<Step, { kind: 'create' }>): Outcome {
    if (this.list().some((one) => one.name === plan.identity.name)) return OK
    this.made += 1
    const { podUid, specHash, namespace, podName, containerName, name } = plan.identity
    this.containers.set(`made-${this.made}`, {
      id: `made-${this.made}`,
      name,
      podUid,
      specHash,
      namespace,
      podName,
      containerName,
      image: plan.container.image,
      imageId: null,
      state: 'created',
      exitCode: null,
      oomKilled: false,
      startedAt: null,
      finishedAt: null,
      error: '',
      ip: null,
      ...(typeof plan.network === 'object' ? { sandbox: plan.network.join } : {}),
    })
    return OK
  }

  start(one: ObservedContainer): Outcome {
    if (one.state === 'paused' || one.state === 'dead' || one.state === 'removing') return refuse(`it is ${one.state}`)
    this.made += 1
    this.containers.set(one.id, { ...one, state: 'running', exitCode: null, startedAt: `start-${this.made}` })
    return OK
  }

  stop(one: ObservedContainer): Outcome {
    if (one.state !== 'running' && one.state !== 'paused' && one.state !== 'restarting') return OK
    this.made += 1
    this.containers.set(one.id, { ...one, state: 'exited', exitCode: 143, finishedAt: `stop-${this.made}` })
    return OK
  }
}

export interface Watcher {
  readonly afterStep?: (step: Step, engine: ModelEngine) => void
  readonly afterEvent?: (state: AgentState, effects: readonly Effect[]) => void
}

export interface World {
  readonly loaded: Loaded
  /** which of the first steps fail */
  readonly faults?: readonly boolean[]
  /** what happens next, while several things can: a number per choice */
  readonly picks?: readonly number[]
  readonly rounds?: number
  readonly watcher?: Watcher
}

interface Running {
  readonly wave: number
  lanes: (readonly Step[])[]
}

/**
 * Runs news, answers and steps in the order that `picks` tells, steps of all running waves mixed; then turns the clock from
 * wake to wake, at most `rounds` times. News keep their order, and so do answers.
 */
export function runWorld(engine: ModelEngine, news: readonly AgentEvent[], options: World): AgentState {
  const { loaded, watcher = {}, rounds = 60 } = options
  const faults = [...(options.faults ?? [])]
  const picks = [...(options.picks ?? [])]
  let nowMs = 1_000
  let state = initialState({ device: DEVICE, sid: 's', agentVersion: '1' }, { monoMs: nowMs, wallMs: nowMs })
  const answers: AgentEvent[] = [{ kind: 'loaded', loaded }]
  const waiting = [...news]
  let running: Running[] = []
  let observing = false
  let wakeAt: number | null = null

  const perform = (effect: Effect): void => {
    if (effect.kind === 'observe') observing = true
    if (effect.kind === 'wake-at') wakeAt = effect.monoMs
    if (effect.kind === 'save') answers.push({ kind: 'saved', epoch: effect.version?.epoch ?? 0, generation: effect.version?.generation ?? 0 })
    if (effect.kind === 'run-wave') running.push({ wave: effect.wave, lanes: effect.lanes.map((lane) => lane.steps) })
    // the step at hand still ends, whenever it does
    if (effect.kind === 'abort-wave')
      for (const one of running) if (one.wave === effect.wave) one.lanes = one.lanes.map((lane) => lane.slice(0, 1)).slice(0, 1)
  }
  const take = (event: AgentEvent): void => {
    const turn = reduce(state, event, { monoMs: nowMs, wallMs: nowMs })
    state = turn.state
    watcher.afterEvent?.(state, turn.effects)
    for (const effect of turn.effects) perform(effect)
  }
  const look = (): void => {
    observing = false
    answers.push({ kind: 'observed', containers: engine.list() })
  }
  const stepOf = (one: Running, index: number): void => {
    const lane = one.lanes[index % Math.max(1, one.lanes.length)]
    const step = lane?.[0]
    if (lane !== undefined && step !== undefined) {
      const outcome = faults.shift() === true ? refuse('injected') : engine.run(step)
      watcher.afterStep?.(step, engine)
      one.lanes = one.lanes.map((other) => (other === lane ? (outcome.ok ? lane.slice(1) : []) : other))
      answers.push({ kind: 'step-done', wave: one.wave, step, outcome })
    }
    one.lanes = one.lanes.filter((other) => other.length > 0)
    if (one.lanes.length > 0) return
    running = running.filter((other) => other !== one)
    answers.push({ kind: 'wave-done', wave: one.wave })
  }
  const choices = (): readonly (() => void)[] => [
    ...(answers.length > 0 ? [() => take(answers.shift() ?? { kind: 'tick' })] : []),
    ...(waiting.length > 0 ? [() => take(waiting.shift() ?? { kind: 'tick' })] : []),
    ...(observing ? [look] : []),
    ...running.map((one) => () => stepOf(one, picks.length)),
  ]

  for (let round = 0; round < rounds; round += 1) {
    for (let open = choices(); open.length > 0; open = choices()) open[(picks.shift() ?? 0) % open.length]?.()
    engine.settle()
    if (wakeAt === null) return state
    nowMs = Math.max(nowMs, wakeAt)
    take({ kind: 'tick' })
  }
  return state
}
