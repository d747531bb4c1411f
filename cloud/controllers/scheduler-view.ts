/**
 * The scheduler's world, as the informers tell it. INVARIANTS: a pod is counted on one node from `assume` or from the
 * change that shows it bound, until it ended or `forget`; a claim keeps room for a pod whose victims are on their way out
 * and is never counted beside the pod itself; every change of nodes or freed room is told by the return values.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { PLACEMENT_ANNOTATION } from '../core/desired-pod.ts'
import { annotationOf, nameOf } from '../core/meta.ts'
import type { NodeInfo, PodInfo } from '../core/scheduler/framework.ts'
import { withUsage } from '../core/scheduler/overcommit.ts'
import { podInfo } from '../core/scheduler/pod-info.ts'
import { holdsResources, nodeInfo, withoutPod, withPod } from '../core/scheduler/snapshot.ts'
import { sameForScheduling } from '../core/scheduler/node-change.ts'
import { World } from '../core/scheduler/world.ts'
import type { Namespace } from '../resources/namespace.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'

/** Samples by pod uid. */
type Usage = ReadonlyMap<string, readonly number[]>

export class SchedulerView {
  readonly world = new World()
  readonly #boundTo: (node: string) => readonly Pod[]
  readonly #usage = new Map<string, { readonly usedMilli: Usage; readonly atMs: number }>()
  /** pod uid -> the node that is being made free for it */
  readonly #claims = new Map<string, { readonly node: string; readonly info: PodInfo }>()

  constructor(boundTo: (node: string) => readonly Pod[]) {
    this.#boundTo = boundTo
  }

  /** True when room was freed. */
  podChanged(next: Pod | null, previous: Pod | null): boolean {
    let freed = false
    const holder = previous?.spec.nodeName
    if (previous !== null && holder !== undefined && holdsResources(previous) && (next === null || !holdsResources(next))) {
      this.forget(holder, previous.metadata.uid ?? '')
      freed = true
    }
    if (next === null || next.spec.nodeName !== undefined) this.dropClaim((next ?? previous)?.metadata.uid ?? '')
    if (next !== null && next.spec.nodeName !== undefined && holdsResources(next)) this.#hold(next.spec.nodeName, next)
    return freed
  }

  /** True when the change could alter a decision. */
  nodeChanged(next: Node | null, previous: Node | null): boolean {
    const node = next ?? previous
    if (node === null || (next !== null && this.world.get(nameOf(next)) !== undefined && sameForScheduling(next, previous))) return false
    if (this.world.refusals.forgetNode(nameOf(node))) this.world.refusalsChanged()
    if (next === null) {
      this.#usage.delete(nameOf(node))
      this.world.remove(nameOf(node))
    } else {
      const known = this.world.get(nameOf(next))?.pods.values()
      this.#put(nodeInfo(next, known ?? this.#boundTo(nameOf(next)).filter(holdsResources).map(podInfo)))
    }
    return true
  }

  /** CPU that the device's pods used, by pod uid, as of now. True when more or less of it may be given away than before. */
  usageSeen(node: string, usedMilli: Usage, nowMs: number): boolean {
    this.#usage.set(node, { usedMilli, atMs: nowMs })
    return this.#measure(node)
  }

  /** Without new readings nothing is given away: what a pod used an hour ago says nothing of now. */
  forgetOldUsage(nowMs: number): void {
    for (const [node, { atMs }] of this.#usage) {
      if (nowMs - atMs < LIMITS.usageFreshMs.value) continue
      this.#usage.delete(node)
      this.#measure(node)
    }
  }

  namespaceChanged(next: Namespace | null, previous: Namespace | null): void {
    if (JSON.stringify(next?.metadata.labels) === JSON.stringify(previous?.metadata.labels) && next !== null && previous !== null) return
    const name = (next ?? previous)?.metadata.name
    if (name !== undefined) this.world.setNamespace(name, next === null ? null : (next.metadata.labels ?? {}))
  }

  /** Counts the pod on the node before its binding is written. */
  assume(node: string, info: PodInfo): void {
    const known = this.world.get(node)
    if (known !== undefined) this.#put(withPod(known, info))
  }

  forget(node: string, uid: string): void {
    const known = this.world.get(node)
    if (known !== undefined) this.#put(withoutPod(known, uid))
  }

  claim(node: string, info: PodInfo): void {
    this.dropClaim(info.uid)
    this.#claims.set(info.uid, { node, info })
    this.assume(node, info)
  }

  /** The node that was claimed, if any. */
  dropClaim(uid: string): string | null {
    const claim = this.#claims.get(uid)
    if (claim === undefined) return null
    this.#claims.delete(uid)
    this.forget(claim.node, uid)
    return claim.node
  }

  #hold(name: string, pod: Pod): void {
    const known = this.world.get(name)
    const held = known?.pods.get(pod.metadata.uid ?? '')
    // our own assumption, confirmed: nothing that a rule reads is new
    if (known === undefined || (held !== undefined && readsSame(held.pod, pod))) return
    this.#put(withPod(known, podInfo(pod)))
  }

  /** With what its pods leave unused, where that is measured: other pods leave other amounts. */
  #put(node: NodeInfo): void {
    const usage = this.#usage.get(node.name)
    if (usage !== undefined) return this.world.set(withUsage(node, usage.usedMilli))
    if (node.reclaimableCpu === undefined) return this.world.set(node)
    const { reclaimableCpu: _, ...plain } = node
    this.world.set(plain)
  }

  #measure(name: string): boolean {
    const known = this.world.get(name)
    if (known === undefined) return false
    const usage = this.#usage.get(name)
    if ((usage === undefined ? 0 : withUsage(known, usage.usedMilli).reclaimableCpu) === (known.reclaimableCpu ?? 0)) return false
    this.#put(known)
    return true
  }
}

function readsSame(a: Pod, b: Pod): boolean {
  return (
    a.spec.nodeName === b.spec.nodeName &&
    a.spec.priority === b.spec.priority &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    annotationOf(a, PLACEMENT_ANNOTATION) === annotationOf(b, PLACEMENT_ANNOTATION) &&
    JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels)
  )
}
