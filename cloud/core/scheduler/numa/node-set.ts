/** Sets of NUMA node ids, ascending, and which of two is the better choice. */

export type NodeSet = readonly number[]

export function nodeSet(ids: Iterable<number>): NodeSet {
  return [...new Set(ids)].sort((a, b) => a - b)
}

export function sameSet(a: NodeSet, b: NodeSet): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}

export function intersect(a: NodeSet, b: NodeSet): NodeSet {
  return a.filter((id) => b.includes(id))
}

/** Negative when `a` is lower-numbered: as numbers whose bits are the ids, the highest id that differs decides. */
export function compareNumbers(a: NodeSet, b: NodeSet): number {
  let [left, right] = [a.length - 1, b.length - 1]
  while (left >= 0 && right >= 0) {
    const difference = (a[left] ?? 0) - (b[right] ?? 0)
    if (difference !== 0) return difference
    left -= 1
    right -= 1
  }
  return left - right
}

/**
 * All non-empty sets of `ids`, narrow first, lower-numbered first among equally wide ones. 255 sets of eight nodes; the caller
 * keeps `ids` to LIMITS.numaNodesAligned.
 */
export function subsets(ids: readonly number[]): readonly NodeSet[] {
  const sorted = nodeSet(ids)
  const all: NodeSet[] = []
  for (let mask = 1; mask < 2 ** sorted.length; mask += 1) all.push(sorted.filter((_, bit) => (mask & (1 << bit)) !== 0))
  return all.sort((a, b) => a.length - b.length || compareNumbers(a, b))
}

/** Distance between two node ids. */
export type Distance = (from: number, to: number) => number

/** Mean over all ordered pairs, a node with itself included. 0 for the empty set. */
export function averageDistance(nodes: NodeSet, distance: Distance): number {
  if (nodes.length === 0) return 0
  let sum = 0
  for (const from of nodes) for (const to of nodes) sum += distance(from, to)
  return sum / (nodes.length * nodes.length)
}
