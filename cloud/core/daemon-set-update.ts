/**
 * Who gets a new revision next. INVARIANTS
 * - Of the devices that are heard, at most maxUnavailable are without an available pod of what they are to run for the
 *   sake of an update; those that are so anyhow cost nothing.
 * - Pods of devices that are not heard are not replaced: nobody would confirm their end. In place they are updated, and do not
 *   count: the retained document waits for the device.
 */
import { resolveAmount } from '../resources/rollout-amount.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { NodeRevision } from './daemon-revision.ts'
import { canUpdateInPlace, isAvailableAsAsked, isInPlace } from './in-place.ts'
import { conditionOf, isDeleting, nameOf } from './meta.ts'
import { REVISION_HASH_LABEL } from './pod-template.ts'

export interface UpdateInput {
  readonly set: DaemonSet
  readonly eligible: readonly Node[]
  readonly byNode: ReadonlyMap<string, readonly Pod[]>
  /** pods that are about to go for another reason */
  readonly going: readonly Pod[]
  readonly revisionOf: (node: string) => NodeRevision
  /** somebody else sets the pace there (a rollout): its change neither waits for the others nor holds them up */
  readonly isPaced: (node: string) => boolean
  readonly nowMs: number
}

interface Change {
  readonly pod: Pod
  readonly to: NodeRevision
}

export interface NextUpdates {
  readonly replace: readonly Pod[]
  readonly inPlace: readonly Change[]
}

export function nextUpdates({ set, eligible, byNode, going, revisionOf, isPaced, nowMs }: UpdateInput): NextUpdates {
  const maxUnavailable = Math.max(1, resolveAmount(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, eligible.length, 'up'))
  const minReady = set.spec.minReadySeconds ?? 0
  const gone = new Set(going)
  const inPlace = isInPlace(set)
  const stays = ({ pod, to }: Change): boolean => inPlace && canUpdateInPlace(pod, to.template)
  let unavailable = 0
  const silent: Change[] = []
  const free: Change[] = []
  const costly: Change[] = []
  for (const node of eligible) {
    const pod = (byNode.get(nameOf(node)) ?? []).find((candidate) => !isDeleting(candidate) && !gone.has(candidate))
    const to = revisionOf(nameOf(node))
    const old = pod !== undefined && pod.metadata.labels?.[REVISION_HASH_LABEL] !== to.hash
    if (!isReachable(node)) {
      if (old && stays({ pod, to })) silent.push({ pod, to })
      continue
    }
    const available = pod !== undefined && isAvailableAsAsked(pod, minReady, nowMs)
    const paced = isPaced(nameOf(node))
    if (!available && !paced) unavailable += 1
    if (!old) continue
    if (available && !paced) costly.push({ pod, to })
    else free.push({ pod, to })
  }
  const next = [...silent, ...free, ...costly.slice(0, Math.max(0, maxUnavailable - unavailable))]
  const kept = new Set(next.filter(stays))
  return { replace: next.filter((change) => !kept.has(change)).map(({ pod }) => pod), inPlace: [...kept] }
}

/** A node that reports. One that was never heard or is silent does not count against maxUnavailable. */
function isReachable(node: Node): boolean {
  const ready = conditionOf(node.status?.conditions, 'Ready')
  return ready !== null && ready.status !== 'Unknown'
}
