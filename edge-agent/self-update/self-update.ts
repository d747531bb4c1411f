/**
 * Follows the agent version that the cloud asks for, and says of the running one that it is good. INVARIANTS: one download at
 * a time, with a pause after each failure; an agent that failed before is not tried again; it ends this process only after
 * the new one is durable; in safe mode nothing changes.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredAgent } from '../../protocol/desired-state.ts'
import { clip, LIMITS } from '../../protocol/limits.ts'
import { failedBefore, proven } from '../core/agent-slots.ts'
import type { Slots } from '../core/agent-slots.ts'
import { isSafeMode } from '../core/overrides.ts'
import type { AgentState } from '../core/state.ts'
import type { Clock, Log } from '../ports.ts'
import { install, writeSlots } from './install.ts'
import type { InstallDeps } from './install.ts'

export interface SelfUpdateDeps extends InstallDeps {
  readonly clock: Clock
  readonly log: Log
  /** as on disk when this process began */
  readonly slots: Slots
  /** null = this process was not started by the launcher: it cannot be replaced */
  readonly slot: string | null
  readonly settleMs: number
  fetch(wanted: DesiredAgent): Promise<Uint8Array>
  /** why the wanted agent is not the running one; null = it is, or none is wanted */
  tell(why: Cause | null): void
  /** the new agent is in place: end this process */
  restart(): void
}

export interface SelfUpdate {
  look(state: AgentState): Promise<void>
}

export function createSelfUpdate(deps: SelfUpdateDeps): SelfUpdate {
  const { clock, log } = deps
  const beganMonoMs = clock.now().monoMs
  let { slots } = deps
  let busy = false
  let retryAtMonoMs = 0
  let told: string | null = null

  const say = (why: Cause | null): void => {
    const text = JSON.stringify(why)
    if (text === told) return
    told = text
    deps.tell(why)
  }

  const follow = async (wanted: DesiredAgent): Promise<void> => {
    const failed = failedBefore(slots, wanted.sha256)
    if (failed !== null) return say(cause('agent.returned', { version: wanted.version, why: failed }))
    if (deps.slot === null)
      return say(cause('agent.update.failed', { version: wanted.version, why: 'the service does not start the agent by skerry-launch' }))
    if (slots.trial !== null || clock.now().monoMs < retryAtMonoMs) return
    try {
      log.info('another agent is fetched', { version: wanted.version, bytes: wanted.bytes })
      slots = await install(deps, slots, wanted, await deps.fetch(wanted))
      log.info('another agent is in place; this one ends, workloads keep running', { version: wanted.version, slot: slots.current })
      deps.restart()
    } catch (error) {
      retryAtMonoMs = clock.now().monoMs + LIMITS.agentRetryMs.value
      const why = clip(error instanceof Error ? error.message : String(error), 200)
      log.warn('another agent cannot be installed', { version: wanted.version, why })
      say(cause('agent.update.failed', { version: wanted.version, why }))
    }
  }

  return {
    async look(state) {
      if (busy) return
      busy = true
      try {
        if (slots.trial !== null && clock.now().monoMs - beganMonoMs >= deps.settleMs && isWell(state)) {
          await writeSlots(deps.disk, deps.stateDir, proven(slots))
          slots = proven(slots)
          log.info('this agent has proven itself', { slot: slots.current })
        }
        const wanted = state.desired?.agent
        if (wanted === undefined || wanted.version === state.agentVersion) say(null)
        else if (!isSafeMode(state.overrides)) await follow(wanted)
      } catch (error) {
        log.error('the slots of agents cannot be written', { why: error instanceof Error ? error.message : String(error) })
      } finally {
        busy = false
      }
    },
  }
}

/** It knows what to run, has looked at the engine (or knows why it cannot), and is in contact where there is a cloud. */
export function isWell({ knowledge, observed, engine, link }: AgentState): boolean {
  return knowledge !== 'loading' && (observed !== null || engine.cause !== null) && (link.kind === 'up' || link.kind === 'disabled')
}
