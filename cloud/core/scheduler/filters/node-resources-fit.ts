import { cause } from '../../../../protocol/causes.ts'
import type { Cause, CauseCode } from '../../../../protocol/causes.ts'
import { formatBytes, formatMilli } from '../../../../protocol/units.ts'
import type { Amounts, FilterPlugin, NodeInfo, PodInfo } from '../framework.ts'

const CODES: Readonly<Record<string, CauseCode>> = {
  cpu: 'placement.cpu.short',
  memory: 'placement.memory.short',
  pids: 'placement.pids.short',
  'ephemeral-storage': 'placement.storage.short',
}

export interface FitArgs {
  /** extended resources that another program looks after */
  readonly ignoredResources?: readonly string[]
  /** the same for all resources of these domains */
  readonly ignoredResourceGroups?: readonly string[]
  /** priority classes whose pods may have cpu that others ask for and, as their devices measured, do not use */
  readonly overcommitClasses?: readonly string[]
}

/** Requests of all pods, this one included, stay within what the device gives away. */
export function nodeResourcesFitFor({ ignoredResources = [], ignoredResourceGroups = [], overcommitClasses = [] }: FitArgs = {}): FilterPlugin {
  const isIgnored = (name: string): boolean => ignoredResources.includes(name) || ignoredResourceGroups.includes(name.split('/', 1)[0] ?? '')
  const spare = ({ pod }: PodInfo, { reclaimableCpu = 0 }: NodeInfo): number =>
    reclaimableCpu > 0 && overcommitClasses.includes(pod.spec.priorityClassName ?? '') ? reclaimableCpu : 0
  const ignoresAny = ignoredResources.length > 0 || ignoredResourceGroups.length > 0
  return {
    name: 'NodeResourcesFit',
    readsUsage: overcommitClasses.length > 0,
    passes: (pod, node) => {
      const { requests } = pod
      // the usual four by name: this is asked of every device for every new pod
      const { allocatable, requested } = node
      const { cpu = 0, memory = 0, pods = 0 } = requests
      if (cpu > 0 && !(cpu <= (allocatable['cpu'] ?? 0) - (requested['cpu'] ?? 0) + spare(pod, node))) return false
      if (memory > 0 && !(memory <= (allocatable['memory'] ?? 0) - (requested['memory'] ?? 0))) return false
      if (pods > 0 && !(pods <= (allocatable['pods'] ?? 0) - (requested['pods'] ?? 0))) return false
      return others(requests).every(([name, needs]) => fits(name, needs, node) || (ignoresAny && isIgnored(name)))
    },
    filter: (pod, node) => {
      // it is no shortage that a device that just joined has not told its hardware
      if (!tellsHardware(node)) return [cause('placement.node.not-ready', { why: 'It has not told its hardware yet.' })]
      const faults: Cause[] = []
      for (const [name, needs] of Object.entries(pod.requests)) {
        const extra = name === 'cpu' ? spare(pod, node) : 0
        if (fits(name, needs - extra, node) || isIgnored(name)) continue
        faults.push(shortage(name, needs, extra, node))
      }
      return faults
    },
  }
}

export const nodeResourcesFit = nodeResourcesFitFor()

/** Every inventory says how many pods the device takes. */
export function tellsHardware({ allocatable }: NodeInfo): boolean {
  return allocatable['pods'] !== undefined
}

const OTHERS = new WeakMap<Amounts, readonly (readonly [string, number])[]>()

/** What a pod asks for beside cpu, memory and its slot. */
function others(requests: Amounts): readonly (readonly [string, number])[] {
  const known = OTHERS.get(requests)
  if (known !== undefined) return known
  const list = Object.entries(requests).filter(([name, needs]) => needs > 0 && name !== 'cpu' && name !== 'memory' && name !== 'pods')
  OTHERS.set(requests, list)
  return list
}

function fits(name: string, needs: number, { allocatable, requested }: NodeInfo): boolean {
  if (needs <= 0) return true
  const capacity = allocatable[name]
  // a device that could not read its PID limit is not refused for it: never guess
  if (capacity === undefined) return name === 'pids'
  return needs <= capacity - (requested[name] ?? 0)
}

/** @param extra what the pod may have beyond what is free by requests */
function shortage(name: string, needs: number, extra: number, node: NodeInfo): Cause {
  const total = node.allocatable[name] ?? 0
  const free = total - (node.requested[name] ?? 0) + extra
  if (name === 'pods') return cause('placement.pods.full', { has: node.requested[name] ?? 0 })
  const facts = { needs: amountText(name, needs), has: amountText(name, Math.max(0, free)), capacity: amountText(name, total) }
  const code = CODES[name]
  return code === undefined ? cause('placement.resource.short', { ...facts, resource: name }) : cause(code, facts)
}

/** As a person would write it in a manifest. */
export function amountText(name: string, amount: number): string {
  if (name === 'cpu') return formatMilli(amount)
  if (name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) return readableBytes(amount)
  return String(amount)
}

/** Exact where that is short; else in tenths of the unit, rounded down so that an amount said to be free is free. */
function readableBytes(amount: number): string {
  const exact = formatBytes(amount)
  if (exact.length <= 6) return exact
  const power = Math.min(UNITS.length, Math.floor(Math.log2(Math.max(1, amount)) / 10))
  const unit = UNITS[power - 1]
  return unit === undefined ? exact : `${Math.floor((amount / 1024 ** power) * 10) / 10}${unit}`
}

const UNITS = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi']
