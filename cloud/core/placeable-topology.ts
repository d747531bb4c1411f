/** The layout of a device as pods are placed on it: what its kernel says, less what is known to be wrong there. */
import type { Inventory, Topology } from '../../protocol/inventory.ts'

/**
 * A machine's only NUMA node has all its memory. The kernel's count of a node is of the start: virtual machines whose memory is
 * plugged in later show 4.5 of 125.9 GiB there (the inventory says so in its findings), and no pod that aligns its memory would fit.
 * With several nodes nobody knows whose the rest is.
 */
export function placeableTopology({ topology, capacity }: Pick<Inventory, 'topology' | 'capacity'>): Topology {
  const [only, ...others] = topology.numaNodes
  const whole = capacity['memory'] ?? 0
  if (only === undefined || others.length > 0 || only.memoryBytes === undefined || only.memoryBytes >= whole) return topology
  return { ...topology, numaNodes: [{ ...only, memoryBytes: whole }] }
}
