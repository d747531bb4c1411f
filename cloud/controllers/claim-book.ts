/** On which devices the claims of a pod are, as far as is known: bound, used by a pod there, or chosen for one a moment ago. */
import { uidOf } from '../core/meta.ts'
import type { VolumeNode } from '../core/scheduler/framework.ts'
import { claimKeysOf, nodeOfClaim } from '../core/volume-claims.ts'
import type { Pod } from '../resources/pod.ts'
import type { Cluster } from './cluster.ts'

export class ClaimBook {
  readonly #cluster: Cluster
  /** claim key -> the node chosen for a pod whose binding is being written */
  readonly #chosen = new Map<string, { readonly node: string; readonly pod: string }>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Claims without an object are volumes of each device and bind nobody. */
  nodesOf(pod: Pod): readonly VolumeNode[] {
    return claimKeysOf(pod).flatMap((claim) => {
      const found = this.#cluster.claims.get(claim)
      if (found === undefined) return []
      const users = this.#cluster.pods.by('claim', claim).filter((user) => uidOf(user) !== uidOf(pod))
      const node = nodeOfClaim(found, users) ?? this.#chosen.get(claim)?.node ?? null
      return node === null ? [] : [{ claim, node }]
    })
  }

  chosen(pod: Pod, node: string): void {
    for (const claim of claimKeysOf(pod)) this.#chosen.set(claim, { node, pod: uidOf(pod) })
  }

  /** written, or given up: what the store says counts again */
  settled(pod: Pod): void {
    for (const claim of claimKeysOf(pod)) if (this.#chosen.get(claim)?.pod === uidOf(pod)) this.#chosen.delete(claim)
  }
}
