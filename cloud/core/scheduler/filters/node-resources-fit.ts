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

/** Requests of all pods, this one included, stay within what the device gives away. */
export const nodeResourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  filter: (pod, node) => {
    const faults: Cause[] = []
    for (const [name, needs] of Object.entries(pod.requests)) {
      const fault = needs > 0 ? shortage(name, needs, node) : null
      if (fault !== null) faults.push(fault)
    }
    return faults
  },
}

function shortage(name: string, needs: number, node: NodeInfo): Cause | null {
  const capacity = node.allocatable[name]
  // a device that could not read its PID limit is not refused for it: never guess
  if (capacity === undefined && name === 'pids') return null
  const total = capacity ?? 0
  const free = total - (node.requested[name] ?? 0)
  if (needs <= free) return null
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
