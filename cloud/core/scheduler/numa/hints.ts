/**
 * Hints: on which sets of NUMA nodes could a resource be had, and which of them are as good as it gets? The language between
 * the resources of a pod (cpus, memory, devices) and the merge that finds one place for all, as in the kubelet.
 */
import type { NodeSet } from './node-set.ts'
import { subsets } from './node-set.ts'

export interface Hint {
  /** null = any node */
  readonly nodes: NodeSet | null
  readonly preferred: boolean
}

/** Hints of one resource. null = it does not care; an empty list = it cannot be had. */
export type ResourceHints = readonly Hint[] | null

/** What a resource says of one set of nodes. */
export interface SetVerdict {
  /** enough there on an empty machine */
  readonly couldHold: boolean
  /** enough there now */
  readonly holds: boolean
}

/**
 * Hints over all sets of `nodes`. Preferred are those as narrow as an empty machine would allow: a fragmented machine has only
 * hints that are not preferred.
 */
export function hintsOver(
  nodes: readonly number[],
  look: (set: NodeSet) => SetVerdict,
): { readonly hints: readonly Hint[]; readonly narrowest: number } {
  let narrowest = nodes.length
  const found: NodeSet[] = []
  for (const set of subsets(nodes)) {
    const { couldHold, holds } = look(set)
    if (couldHold && set.length < narrowest) narrowest = set.length
    if (holds) found.push(set)
  }
  return { hints: found.map((set) => ({ nodes: set, preferred: set.length === narrowest })), narrowest }
}
