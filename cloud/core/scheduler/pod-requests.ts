/** Sums over a pod's containers, by Kubernetes' rule for init containers: they run before the others, or beside them when they restart. */
import { LIMITS } from '../../../protocol/limits.ts'
import type { PodSpec } from '../../../protocol/pod.ts'
import { pidsOfPod } from '../../../protocol/pids.ts'
import { parseMilli, parseUnits } from '../../../protocol/units.ts'
import type { Amounts } from './framework.ts'

const SCORING_CPU_MILLI = 100
const SCORING_MEMORY_BYTES = 200 * 1024 * 1024

type Resources = NonNullable<PodSpec['resources']>

/** What the sums read of a container, of whichever list. */
interface Asking {
  readonly resources?: Resources
  readonly restartPolicy?: string
}

/** Parts of a spec that newer versions of the pod have. */
interface Whole {
  readonly initContainers?: readonly Asking[]
  readonly overhead?: Readonly<Record<string, string | number>>
}

export function podRequests(spec: PodSpec): { readonly requests: Amounts; readonly scoringRequests: Amounts } {
  const { initContainers = [], overhead } = spec as Whole
  const asked = (container: Asking): Amounts => ({ ...containerRequests(container.resources), pids: pidsOf(spec, container.resources) })
  const scored = (container: Asking): Amounts => {
    const said = containerRequests(container.resources)
    return { cpu: said['cpu'] ?? SCORING_CPU_MILLI, memory: said['memory'] ?? SCORING_MEMORY_BYTES }
  }
  // the usual names first and in one order: objects that are made alike are read faster
  const none = { cpu: 0, memory: 0, pods: 0, pids: 0 }
  const requests = total(none, spec.containers, initContainers, asked, overhead)
  return { requests: { ...requests, pods: 1 }, scoringRequests: total({ cpu: 0, memory: 0 }, spec.containers, initContainers, scored, overhead) }
}

function total(
  none: Amounts,
  containers: readonly Asking[],
  initContainers: readonly Asking[],
  of: (container: Asking) => Amounts,
  overhead: Whole['overhead'],
): Amounts {
  const sum: Record<string, number> = { ...none }
  for (const container of containers) addTo(sum, of(container))
  if (initContainers.length > 0) {
    const beside: Record<string, number> = {}
    let most: Amounts = {}
    for (const container of initContainers) {
      const own = of(container)
      if (container.restartPolicy === 'Always') addTo(beside, own)
      most = greatest(most, container.restartPolicy === 'Always' ? beside : plus(beside, own))
    }
    addTo(sum, beside)
    Object.assign(sum, greatest(sum, most))
  }
  for (const [name, value] of Object.entries(overhead ?? {})) sum[name] = (sum[name] ?? 0) + amountOf(name, value)
  return sum
}

function addTo(sum: Record<string, number>, more: Amounts): void {
  for (const [name, amount] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + amount
}

function plus(a: Amounts, b: Amounts): Amounts {
  const sum = { ...a }
  addTo(sum, b)
  return sum
}

function greatest(a: Amounts, b: Amounts): Amounts {
  const out: Record<string, number> = { ...a }
  for (const [name, amount] of Object.entries(b)) out[name] = Math.max(out[name] ?? 0, amount)
  return out
}

function pidsOf(spec: PodSpec, resources: Resources | undefined): number {
  return saidPids(spec, resources) ?? LIMITS.pidsAskedDefault.value
}

/** A limit without a request is also the request, as in Kubernetes. pids are counted apart. */
function containerRequests(resources: Resources | undefined): Amounts {
  const out: Record<string, number> = {}
  for (const [name, value] of Object.entries({ ...resources?.limits, ...resources?.requests })) {
    if (name !== 'pids') out[name] = amountOf(name, value)
  }
  return out
}

/**
 * PID limit of each container: what the pod says, else the default. A pod that says nothing counts with less than its limit when it is
 * placed: the default is a fence against fork bombs, not what programs use.
 */
export function containerPids(spec: PodSpec, resources: Resources | undefined): number {
  return pidsOfPod(saidPids(spec, resources))
}

/** null = the pod leaves it to the default */
function saidPids(spec: PodSpec, resources: Resources | undefined): number | null {
  const said = spec.resources?.limits?.['pids'] ?? resources?.limits?.['pids'] ?? resources?.requests?.['pids']
  return said === undefined ? null : parseUnits(said)
}

/** cpu in milli, everything else in whole units; a broken quantity (admission refuses those) counts as nothing. */
export function amountOf(name: string, value: string | number): number {
  return (name === 'cpu' ? parseMilli(value) : parseUnits(value)) ?? 0
}
