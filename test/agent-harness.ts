/** An agent's reducer with a hand-turned clock; for tests of what it decides. */
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { DesiredPod, ObservedContainer } from '../edge-agent/core/model.ts'
import type { Loaded, SavedState } from '../edge-agent/core/saved-model.ts'
import type { AgentEvent, AgentState, Effect } from '../edge-agent/core/state.ts'
import { reduce } from '../edge-agent/core/reducer.ts'
import { DEVICE, desiredOf, pod } from './agent-world.ts'

const WALL = 1_767_225_600_000

/** Feeds events and keeps what came out; time moves only when told. */
export class Agent {
  state: AgentState
  nowMs = 1_000
  /** what the wall clock was set forward by */
  wallAheadMs = 0
  effects: Effect[] = []

  constructor(loaded?: Loaded) {
    this.state = initialState({ device: DEVICE, sid: 's1', agentVersion: '1' }, this.now())
    if (loaded !== undefined) this.send({ kind: 'loaded', loaded })
  }

  now(): { monoMs: number; wallMs: number } {
    return { monoMs: this.nowMs, wallMs: WALL + this.nowMs + this.wallAheadMs }
  }

  /** the effects of this event only, without wakes and logs */
  send(event: AgentEvent): readonly Effect[] {
    const { state, effects } = reduce(this.state, event, this.now())
    this.state = state
    this.effects.push(...effects)
    return effects.filter((effect) => effect.kind !== 'wake-at' && effect.kind !== 'log')
  }

  observe(...containers: readonly ObservedContainer[]): readonly Effect[] {
    return this.send({ kind: 'observed', containers })
  }

  after(ms: number): this {
    this.nowMs += ms
    return this
  }

  saves(): readonly Extract<Effect, { kind: 'save' }>[] {
    return this.effects.filter((effect) => effect.kind === 'save')
  }

  wakeAt(): number | null {
    return this.effects.findLast((effect) => effect.kind === 'wake-at')?.monoMs ?? null
  }
}

export const kinds = (effects: readonly Effect[]): readonly string[] => effects.map((effect) => effect.kind)
export const saved = (pods: readonly DesiredPod[], change: Partial<SavedState> = {}): Loaded => {
  const desired = desiredOf(pods)
  return { kind: 'state', fellBack: false, state: { desired, floor: { epoch: 1, generation: 1 }, ledger: {}, ...change } }
}
export const U1 = pod({ uid: 'u1' })
