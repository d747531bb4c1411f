import { cause } from '../../../../protocol/causes.ts'
import type { Cause, CauseCode } from '../../../../protocol/causes.ts'
import { formatBytes, formatMilli } from '../../../../protocol/units.ts'
import type { FilterPlugin, NodeInfo } from '../framework.ts'

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
}

/** Requests of all pods, this one included, stay within what the device gives away. */
export function nodeResourcesFitFor({ ignoredResources = [], ignoredResourceGroups = [] }: FitArgs = {}): FilterPlugin {
  const isIgnored = (name: string): boolean => ignoredResources.includes(name) || ignoredResourceGroups.includes(name.split('/', 1)[0] ?? '')
  const ignoresAny = ignoredResources.length > 0 || ignoredResourceGroups.length > 0
  return {
    name: 'NodeResourcesFit',
    passes: ({ requests }, node) => {
      for (const name in requests) if (!fits(name, requests[name] ?? 0, node) && !(ignoresAny && isIgnored(name))) return false
      return true
    },
    filter: (pod, node) => {
      const faults: Cause[] = []
      for (const [name, needs] of Object.entries(pod.requests)) {
        if (!fits(name, needs, node) && !isIgnored(name)) faults.push(shortage(name, needs, node))
      }
      return faults
    },
  }
}

export const nodeResourcesFit = nodeResourcesFitFor()

function fits(name: string, needs: number, { allocatable, requested }: NodeInfo): boolean {
  if (needs <= 0) return true
  const capacity = allocatable[name]
  // a device that could not read its PID limit is not refused for it: never guess
  if (capacity === undefined) return name === 'pids'
  return needs <= capacity - (requested[name] ?? 0)
}

function shortage(name: string, needs: number, node: NodeInfo): Cause {
  const total = node.allocatable[name] ?? 0
  const free = total - (node.requested[name] ?? 0)
  if (name === 'pods') return cause('placement.pods.full', { has: node.requested[name] ?? 0 })
  const facts = { needs: amountText(name, needs), has: amountText(name, Math.max(0, free)), capacity: amountText(name, total) }
  const code = CODES[name]
  return code === undefined ? cause('placement.resource.short', { ...facts, resource: name }) : cause(code, facts)
}

/** As a person would write it in a manifest. */
export function amountText(name: string, amount: number): string {
  if (name === 'cpu') return formatMilli(amount)
  if (name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) return formatBytes(amount)
  return String(amount)
}
