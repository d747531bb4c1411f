/** Is a new inventory worth telling? What breathes all the time (free memory, used disk, tasks) counts only when it moved far. */
import type { Accelerator, Inventory } from '../../protocol/inventory.ts'
import { canonicalJson } from '../../protocol/revision.ts'

/** shares of the whole */
const MEMORY_MOVED = 0.1
const DISK_MOVED = 0.05
const PIDS_MOVED = 0.1

export function meaningfullyChanged(before: Inventory | null, after: Inventory): boolean {
  if (before === null || canonicalJson(still(before)) !== canonicalJson(still(after))) return true
  if (moved(before.memory?.availableBytes, after.memory?.availableBytes, (after.memory?.totalBytes ?? 0) * MEMORY_MOVED)) return true
  if (moved(before.pids?.used, after.pids?.used, (after.pids?.capacity ?? 0) * PIDS_MOVED)) return true
  const earlier = new Map((before.fileSystems ?? []).map((one) => [one.mount, one.usedBytes]))
  return (after.fileSystems ?? []).some((one) => moved(earlier.get(one.mount), one.usedBytes, (one.sizeBytes ?? 0) * DISK_MOVED))
}

/** the inventory without what breathes */
function still(inventory: Inventory): unknown {
  const { at: _at, memory, pids, fileSystems, topology, ...rest } = inventory
  return {
    ...rest,
    topology: { ...topology, accelerators: (topology.accelerators ?? []).map(withoutReadings) },
    memory: memory === undefined ? null : { ...memory, availableBytes: null },
    pids: pids === undefined ? null : { ...pids, used: null },
    fileSystems: fileSystems?.map((one) => ({ ...one, usedBytes: null })) ?? null,
  }
}

/** loads, clocks and temperatures are of the moment */
function withoutReadings(accelerator: Accelerator): unknown {
  const { freqHz: _f, freqMHz: _m, loadPercent: _l, coreLoads: _c, temperatureC: _t, powerW: _p, vramUsedBytes: _v, ...rest } = accelerator
  return rest
}

function moved(before: number | undefined, after: number | undefined, by: number): boolean {
  if (before === undefined || after === undefined) return before !== after
  return Math.abs(after - before) > by
}
