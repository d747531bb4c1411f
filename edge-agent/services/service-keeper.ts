/**
 * Makes it so as the plan says: files, listeners, networks. INVARIANTS
 * - Files and the lists of backends are as the plan says when `apply` returns; networks and new listeners follow.
 * - One pass over the networks at a time; what failed is tried again later, and told meanwhile.
 * - Only networks with this device's label are ever removed, and only while the engine says that nobody is in them.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { clip, LIMITS } from '../../protocol/limits.ts'
import { doubledMs } from '../core/backoff.ts'
import type { ServicePlan } from '../core/service-model.ts'
import type { Clock, Log, NetworkEngine } from '../ports.ts'
import { createBalancer } from './balancer.ts'
import type { ListenFailure } from './balancer.ts'
import { writeHostsFiles } from './hosts-files.ts'
import { Lingering } from './lingering.ts'

export interface ServiceKeeper {
  apply(plan: ServicePlan): void
  /** looks at the networks again: somebody may have taken one away */
  recheck(): void
  stop(): Promise<void>
}

export interface ServiceKeeperDeps {
  readonly networks: NetworkEngine
  readonly clock: Clock
  readonly log: Log
  readonly folder: string
  /** what is not as wanted now; an empty list when all is */
  onCauses(causes: readonly Cause[]): void
}

export function createServiceKeeper({ networks, clock, log, folder, onCauses }: ServiceKeeperDeps): ServiceKeeper {
  const balancer = createBalancer(clock)
  const lingering = new Lingering()
  let wanted: ServicePlan | null = null
  let running = false
  let again = false
  let failures = 0
  /** a network that is not wanted and cannot go yet */
  let leftOver = false
  let told = '[]'
  let cancelRetry: (() => void) | null = null

  const tell = (causes: readonly Cause[]): void => {
    const text = JSON.stringify(causes)
    if (text === told) return
    told = text
    for (const one of causes) log.warn('a Service is not as wanted', { code: one.code, ...one.facts })
    onCauses(causes)
  }
  const files = (plan: ServicePlan): readonly Cause[] => filesOf(folder, plan)
  const pass = async (plan: ServicePlan): Promise<readonly Cause[]> => {
    const unwritten = files(plan)
    const made = await networks.ensureNetworks(plan.networks)
    const listened = await balancer.set(plan.listeners)
    if (made.length > 0) lingering.giveUp()
    leftOver = !(await networks.dropNetworks(new Set([...plan.networks.map(({ name }) => name), ...lingering.names(clock.now().monoMs)])))
    return [...unwritten, ...made, ...listened.map(listenCause)]
  }
  const run = async (): Promise<void> => {
    if (running) return void (again = true)
    running = true
    do {
      again = false
      const plan = wanted
      if (plan === null) break
      cancelRetry?.()
      cancelRetry = null
      const causes = await pass(plan).catch((error: unknown) => [cause('service.failed', { why: clip(String(error)) })])
      failures = causes.length === 0 ? 0 : failures + 1
      tell(causes)
    } while (again)
    running = false
    const atMonoMs = nextPass({ failures, leftOver, lingersUntilMonoMs: lingering.nextMonoMs() }, clock.now().monoMs)
    if (atMonoMs !== null) cancelRetry = clock.at(atMonoMs, () => void run())
  }

  return {
    apply(plan) {
      const settled = wanted !== null && !running && failures === 0 && sameDoors(wanted, plan)
      lingering.changed(wanted?.networks ?? [], plan.networks, clock.now().monoMs)
      wanted = plan
      // names, and who is asked for new connections, change now; failures are found again by the pass below
      const written = files(plan).length === 0
      void balancer.set(plan.listeners)
      // an address of a pod changes names alone: the engine has enough to do while it starts pods
      if (!settled || !written) void run()
    },
    recheck: () => void run(),
    async stop() {
      wanted = null
      cancelRetry?.()
      await balancer.stop()
    },
  }
}

function filesOf(folder: string, { hosts }: ServicePlan): readonly Cause[] {
  try {
    writeHostsFiles(folder, hosts)
    return []
  } catch (error) {
    return [cause('service.failed', { why: clip(String(error)) })]
  }
}

interface Open {
  readonly failures: number
  readonly leftOver: boolean
  readonly lingersUntilMonoMs: number | null
}

/** When to look again although nothing changes; null = nothing is open. */
function nextPass({ failures, leftOver, lingersUntilMonoMs }: Open, nowMonoMs: number): number | null {
  if (failures > 0) return nowMonoMs + doubledMs(failures, LIMITS.retryFirstMs.value, LIMITS.retryMaxMs.value)
  return lingersUntilMonoMs ?? (leftOver ? nowMonoMs + LIMITS.retryMaxMs.value : null)
}

/** Nothing of what a pass looks at is another one. */
function sameDoors(a: ServicePlan, b: ServicePlan): boolean {
  return JSON.stringify([a.networks, a.listeners]) === JSON.stringify([b.networks, b.listeners])
}

function listenCause({ listener: { service, host, port }, code }: ListenFailure): Cause {
  const at = host ?? 'all addresses'
  return code === 'EADDRINUSE' ? cause('service.port-taken', { service, port, at }) : cause('service.listen-failed', { service, port, at, why: code })
}
