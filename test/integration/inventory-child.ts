/** Collects the inventory of this machine once and prints it: run under strace by the test beside it. */
import { createInventoryReader } from '../../edge-agent/inventory/collect.ts'
import { printInventory } from '../../edge-agent/inventory/print-inventory.ts'
import { realClock } from '../fakes/real-time.ts'

const { inventory, hostIp } = await createInventoryReader({ device: 'this', agentVersion: '0', clock: realClock, engine: () => null }).collect()
process.stdout.write(`${JSON.stringify({ inventory, hostIp })}\n${printInventory(inventory)}\n`)
