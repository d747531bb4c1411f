/** The inventory on its way out: to the loop when it is news, and to a person who asks for it. */
import { resolve } from 'node:path'
import { meaningfullyChanged } from './inventory/changed.ts'
import { createCopyReader, createInventoryReader } from './inventory/collect.ts'
import { createHostReader } from './inventory/host-reader.ts'
import { runNvidiaSmi } from './inventory/nvidia-smi.ts'
import { printInventory } from './inventory/print-inventory.ts'
import type { AgentLog } from './log.ts'
import type { InventoryReader } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock } from './runtime/system-clock.ts'

/** Collects, one at a time, and tells the loop when it is news. Asked meanwhile, it collects once more: there is something that it has not seen. */
export function inventoryTeller(reader: InventoryReader, loop: Pick<Loop, 'state' | 'dispatch'>, log: Pick<AgentLog, 'error'>): () => Promise<void> {
  let busy = false
  let again = false
  const tell = async (): Promise<void> => {
    try {
      const { inventory, hostIp } = await reader.collect()
      const { inventory: before, hostIp: addressBefore } = loop.state()
      if (hostIp !== addressBefore || meaningfullyChanged(before, inventory)) loop.dispatch({ kind: 'inventory', inventory, hostIp })
    } catch (error) {
      log.error('the inventory could not be read', { why: error instanceof Error ? error.message : String(error) })
    }
  }
  return async () => {
    again = true
    if (busy) return
    busy = true
    do {
      again = false
      await tell()
    } while (again)
    busy = false
  }
}

/** The reader of this machine, or of the copy of another one below `root`: then nothing of this machine gets into it. */
export async function openInventory(root: string, told: Parameters<typeof createCopyReader>[0]): Promise<InventoryReader> {
  const isCopy = resolve(root) !== '/'
  return isCopy ? await createCopyReader(told, createHostReader(root)) : createInventoryReader({ ...told, nvidiaSmi: runNvidiaSmi })
}

/** The text that `skerry-agent inventory` prints. `root` other than / = a copy of a machine's files. */
export async function showInventory(root: string, output: 'json' | 'table', version: string): Promise<string> {
  const reader = await openInventory(root, { device: 'this-machine', agentVersion: version, clock: systemClock, engine: () => null })
  const { inventory } = await reader.collect()
  return output === 'json' ? `${JSON.stringify(inventory, null, 2)}\n` : `${printInventory(inventory)}\n`
}
