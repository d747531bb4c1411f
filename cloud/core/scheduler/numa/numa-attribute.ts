/**
 * The NUMA node of a device as an attribute that claims can be matched on (resource.kubernetes.io/numaNode): CPUs and memory
 * publish one node, an I/O device its own node and the nearest others of its socket.
 */
import type { Distance } from './node-set.ts'

/** Own node first, then those of the socket at the smallest distance; null when the kernel does not know the node. */
export function numaAttribute(
  node: number,
  nodes: readonly number[],
  socketOf: (node: number) => number,
  distance: Distance,
): readonly number[] | null {
  if (node < 0) return null
  const near = nodes.filter((other) => other !== node && socketOf(other) === socketOf(node))
  const least = Math.min(...near.map((other) => distance(node, other)))
  return [node, ...near.filter((other) => distance(node, other) === least).sort((a, b) => a - b)]
}

/** Do two devices match? A single value is a list of one. */
export function numaMatches(a: number | readonly number[], b: number | readonly number[]): boolean {
  const left = typeof a === 'number' ? [a] : a
  const right = typeof b === 'number' ? [b] : b
  return left.some((node) => right.includes(node))
}
