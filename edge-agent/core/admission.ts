/** The device checks the placement again: the hardware may have changed since the scheduler looked. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { pidsLimitOf } from './identity.ts'
import type { DesiredPod } from './model.ts'

/** What stands against making this pod's containers here, or null. Without an inventory nothing is refused. */
export function admit(pod: DesiredPod, inventory: Inventory | null): Cause | null {
  if (inventory === null) return null
  return cpusPresent(pod, inventory) ?? memoryNodesPresent(pod, inventory) ?? gpusPresent(pod, inventory) ?? pidsFit(pod, inventory)
}

function cpusPresent(pod: DesiredPod, inventory: Inventory): Cause | null {
  const needs = pod.placement?.cpus
  if (needs === undefined) return null
  const { onlineCpus, allowedCpus } = inventory.topology
  const online = readRanges(onlineCpus)
  const allowed = allowedCpus === undefined ? null : readRanges(allowedCpus)
  const missing = missingFrom(readRanges(needs), (cpu) => contains(online, cpu) && (allowed === null || contains(allowed, cpu)))
  return missing.length === 0 ? null : cause('placement.cpu.absent', { needs, missing: missing.join(','), has: allowedCpus ?? onlineCpus })
}

function memoryNodesPresent(pod: DesiredPod, inventory: Inventory): Cause | null {
  const needs = pod.placement?.memoryNodes
  if (needs === undefined) return null
  const nodes = new Set(inventory.topology.numaNodes.map((node) => node.id))
  const missing = missingFrom(readRanges(needs), (node) => nodes.has(node))
  return missing.length === 0 ? null : cause('placement.memory-node.absent', { needs, missing: missing.join(',') })
}

function gpusPresent(pod: DesiredPod, inventory: Inventory): Cause | null {
  const present = new Set(inventory.topology.accelerators?.map((one) => one.id))
  const missing = (pod.placement?.gpus ?? []).filter((id) => !present.has(id))
  return missing.length === 0 ? null : cause('placement.gpu.absent', { missing: missing.join(', ') })
}

function pidsFit(pod: DesiredPod, inventory: Inventory): Cause | null {
  const capacity = inventory.pids?.capacity
  // the default cap is only a ceiling: it is not a request that a small device could fail to meet
  const asked = pod.placement?.pids ?? (pod.spec.resources?.limits?.['pids'] === undefined ? null : pidsLimitOf(pod))
  if (capacity === undefined || asked === null || asked <= capacity) return null
  return cause('placement.pids.short', { needs: asked, has: capacity, capacity })
}

interface Range {
  readonly first: number
  readonly last: number
}

/** Linux list format. Ranges stay ranges: a hostile `0-4000000000` costs nothing. */
function readRanges(text: string): readonly Range[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (match === null) return []
    const first = Number(match[1])
    return [{ first, last: match[2] === undefined ? first : Number(match[2]) }]
  })
}

function contains(ranges: readonly Range[], id: number): boolean {
  return ranges.some((range) => id >= range.first && id <= range.last)
}

const MISSING_SHOWN = 16

function missingFrom(ranges: readonly Range[], present: (id: number) => boolean): readonly number[] {
  const missing: number[] = []
  for (const range of ranges) {
    for (let id = range.first; id <= range.last && missing.length < MISSING_SHOWN; id += 1) if (!present(id)) missing.push(id)
  }
  return missing
}
