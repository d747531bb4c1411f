/** A container engine in a few lines, and a world that runs the reducer against it until it is quiet. */
import { initialState } from '../../edge-agent/core/initial-state.ts'
import type { AgentEvent, AgentState, Effect, Loaded, ObservedContainer, Outcome, Step } from '../../edge-agent/core/model.ts'
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
      id: `made-${this.made}`, name, podUid, specHash, namespace, podName, containerName, image: plan.container.image, imageId: null,
      state: 'created', exitCode: null, oomKilled: false, startedAt: null, finishedAt: null, error: '', ip: null,
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
  readonly rounds?: number
  readonly watcher?: Watcher
}

/** Runs events and effects, turning the clock from wake to wake, at most `rounds` times. */
export function runWorld(engine: ModelEngine, first: readonly AgentEvent[], options: World): AgentState {
  const { loaded, watcher = {}, rounds = 60 } = options
  const faults = [...(options.faults ?? [])]
  let nowMs = 1_000
  let state = initialState({ device: DEVICE, sid: 's', agentVersion: '1' }, { monoMs: nowMs, wallMs: nowMs })
  const queue: AgentEvent[] = [{ kind: 'loaded', loaded }, ...first]
  let wakeAt: number | null = null

  const perform = (effect: Effect): void => {
    if (effect.kind === 'observe') queue.push({ kind: 'observed', containers: engine.list() })
    if (effect.kind === 'wake-at') wakeAt = effect.monoMs
    if (effect.kind === 'save') queue.push({ kind: 'saved', epoch: effect.version?.epoch ?? 0, generation: effect.version?.generation ?? 0 })
    if (effect.kind !== 'run-wave') return
    for (const lane of effect.lanes) {
      for (const step of lane.steps) {
        const outcome = faults.shift() === true ? refuse('injected') : engine.run(step)
        watcher.afterStep?.(step, engine)
        queue.push({ kind: 'step-done', wave: effect.wave, step, outcome })
        if (!outcome.ok) break
      }
    }
    queue.push({ kind: 'wave-done', wave: effect.wave })
  }

  for (let round = 0; round < rounds; round += 1) {
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      const turn = reduce(state, event, { monoMs: nowMs, wallMs: nowMs })
      state = turn.state
      watcher.afterEvent?.(state, turn.effects)
      for (const effect of turn.effects) perform(effect)
    }
    engine.settle()
    if (wakeAt === null) return state
    nowMs = Math.max(nowMs, wakeAt)
    queue.push({ kind: 'tick' })
  }
  return state
}
