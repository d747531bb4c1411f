/** The world as one scheduling decision sees it: nodes with what their pods already hold. Values are never changed. */
import type { Node } from '../../resources/node.ts'
import type { Pod } from '../../resources/pod.ts'
import { conditionOf, nameOf } from '../meta.ts'
import { isFinished } from '../pod-state.ts'
import type { Amounts, NodeInfo, PodInfo, Snapshot } from './framework.ts'
import { podInfo } from './pod-info.ts'
import { amountOf } from './pod-requests.ts'
import { hasTerms } from './pod-terms.ts'
import { imageWithTag } from './scores/image-locality.ts'

/** A whole snapshot from scratch. Pods without a node, ended pods and pods of unknown nodes hold nothing. */
export function buildSnapshot(nodes: readonly Node[], pods: readonly Pod[]): Snapshot {
  const out = new Map(nodes.map((node) => [nameOf(node), nodeInfo(node, [])]))
  const byNode = new Map<string, PodInfo[]>()
  for (const pod of pods) {
    if (!holdsResources(pod)) continue
    const list = byNode.get(pod.spec.nodeName ?? '') ?? []
    list.push(podInfo(pod))
    byNode.set(pod.spec.nodeName ?? '', list)
  }
  for (const node of nodes) out.set(nameOf(node), nodeInfo(node, byNode.get(nameOf(node)) ?? []))
  return out
}

/** A terminating pod still holds its share until the device says that it is gone. */
export function holdsResources(pod: Pod): boolean {
  return pod.spec.nodeName !== undefined && !isFinished(pod)
}

export function nodeInfo(node: Node, pods: Iterable<PodInfo>): NodeInfo {
  const ready = conditionOf(node.status?.conditions, 'Ready')
  const held = new Map<string, PodInfo>()
  for (const pod of pods) held.set(pod.uid, pod)
  return {
    name: nameOf(node),
    labels: node.metadata.labels ?? {},
    taints: node.spec?.taints ?? [],
    unschedulable: node.spec?.unschedulable === true,
    ready: ready?.status === 'True',
    notReadyWhy: ready?.status === 'True' ? '' : (ready?.message ?? ready?.reason ?? 'it has not reported yet'),
    heardAt: ready?.lastHeartbeatTime ?? ready?.lastTransitionTime ?? '',
    annotations: node.metadata.annotations ?? {},
    images: imagesOf(node),
    allocatable: amountsOf(node.status?.allocatable),
    requested: sum([...held.values()].map((pod) => pod.requests)),
    scoringRequested: sum([...held.values()].map((pod) => pod.scoringRequests)),
    pods: held,
    podsWithTerms: carriers(held.values()),
  }
}

export function withPod(node: NodeInfo, pod: PodInfo): NodeInfo {
  if (node.pods.has(pod.uid)) return withPod(withoutPod(node, pod.uid), pod)
  return {
    ...node,
    requested: sum([node.requested, pod.requests]),
    scoringRequested: sum([node.scoringRequested, pod.scoringRequests]),
    pods: new Map(node.pods).set(pod.uid, pod),
    podsWithTerms: hasTerms(pod.terms) ? [...node.podsWithTerms, pod] : node.podsWithTerms,
  }
}

export function withoutPod(node: NodeInfo, uid: string): NodeInfo {
  if (!node.pods.has(uid)) return node
  const pods = new Map(node.pods)
  pods.delete(uid)
  const left = [...pods.values()]
  return {
    ...node,
    pods,
    podsWithTerms: carriers(left),
    requested: sum(left.map((pod) => pod.requests)),
    scoringRequested: sum(left.map((pod) => pod.scoringRequests)),
  }
}

function carriers(pods: Iterable<PodInfo>): readonly PodInfo[] {
  const found = [...pods].filter((pod) => hasTerms(pod.terms))
  return found.length === 0 ? NOBODY : found
}

const NOBODY: readonly PodInfo[] = []
const NO_IMAGES: ReadonlyMap<string, number> = new Map()

function imagesOf(node: Node): ReadonlyMap<string, number> {
  const images = node.status?.images
  if (images === undefined || images.length === 0) return NO_IMAGES
  return new Map(images.flatMap(({ names, sizeBytes }) => (names ?? []).map((name) => [imageWithTag(name), sizeBytes ?? 0] as const)))
}

function amountsOf(quantities: Readonly<Record<string, string | number>> | undefined): Amounts {
  const out: Record<string, number> = {}
  for (const [name, value] of Object.entries(quantities ?? {})) out[name] = amountOf(name, value)
  return out
}

function sum(parts: readonly Amounts[]): Amounts {
  const out: Record<string, number> = {}
  for (const part of parts) {
    for (const [name, amount] of Object.entries(part)) out[name] = (out[name] ?? 0) + amount
  }
  return out
}
