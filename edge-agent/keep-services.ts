/** Joins the state of the loop with what keeps Services: each change that matters becomes a plan, and a new plan is applied. */
import type { LocalSettings } from './core/pod-model.ts'
import { servicePlan } from './core/service-plan.ts'
import type { Ledger } from './core/saved-model.ts'
import type { AgentState } from './core/state.ts'
import type { Clock, Log, NetworkEngine } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { createServiceKeeper } from './services/service-keeper.ts'

export interface KeptServices {
  changed(before: AgentState, after: AgentState): void
  stop(): Promise<void>
}

/** @param loop asked only after it began */
export function keepServices(
  local: LocalSettings,
  networks: NetworkEngine,
  clock: Clock,
  log: Log,
  loop: () => Pick<Loop, 'dispatch'>,
): KeptServices | null {
  if (local.networks === undefined) return null
  const keeper = createServiceKeeper({
    networks,
    clock,
    log,
    folder: local.networks.hosts,
    onCauses: (causes) => loop().dispatch({ kind: 'services', causes }),
  })
  let last = ''
  return {
    changed(before, after) {
      const news = (['knowledge', 'desired', 'observed', 'probes'] as const).some((part) => before[part] !== after[part])
      const plan = news ? servicePlan(after) : null
      const text = plan === null ? last : JSON.stringify(plan)
      if (plan !== null && text !== last) {
        last = text
        keeper.apply(plan)
        // a start that fails, or an engine that is back, may have lost a network
      } else if (last !== '' && (failedAnew(before.ledger, after.ledger) || (!before.engine.reachable && after.engine.reachable))) keeper.recheck()
    },
    stop: () => keeper.stop(),
  }
}

/** Most of what the ledger learns is of steps that went well. */
function failedAnew(before: Ledger, after: Ledger): boolean {
  return before !== after && Object.entries(after).some(([key, { lastCause }]) => lastCause !== null && lastCause !== before[key]?.lastCause)
}
