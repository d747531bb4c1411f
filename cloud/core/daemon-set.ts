/**
 * One pod on every device that fits. Devices that cannot be reached keep what they run and never hold up the others; see
 * daemon-set-update for who gets a new revision next.
 */
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import { revisions } from './daemon-revision.ts'
import type { NodeRevision, TemplateOf } from './daemon-revision.ts'
import { daemonSetStatus, soonestAsAsked } from './daemon-set-status.ts'
import { nextUpdates } from './daemon-set-update.ts'
import { annotationOf, byAge, isControlledBy, isDeleting, nameOf, uidOf } from './meta.ts'
import { isFinished } from './pod-state.ts'
import { tolerates } from './scheduler/filters/tolerations.ts'
import { REQUIRED_NODE_ANNOTATION } from './scheduler/pod-info.ts'

export interface DaemonSetPlan {
  /** nodes that get a new pod */
  readonly create: readonly NodeRevision[]
  /** pods that get their node's revision in place: same name, same uid */
  readonly update: readonly { readonly pod: Pod; readonly to: NodeRevision }[]
  readonly remove: readonly Pod[]
  readonly status: NonNullable<DaemonSet['status']>
  readonly recheckInMs: number | null
}

export function planDaemonSet(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  nowMs: number,
  templateOf: TemplateOf = () => set.spec.template,
  isPaced: (node: string) => boolean = () => false,
): DaemonSetPlan {
  const seen = look(set, nodes, pods, templateOf)
  const { revisionOf, eligible, byNode } = seen
  const create: NodeRevision[] = []
  const remove: Pod[] = []
  let update: DaemonSetPlan['update'] = []
  if (!isDeleting(set)) {
    const wanted = new Set(eligible.map(nameOf))
    for (const [node, list] of byNode) if (!wanted.has(node)) remove.push(...list.filter((pod) => !isDeleting(pod)))
    for (const node of eligible) settle(byNode.get(nameOf(node)) ?? [], revisionOf(nameOf(node)), create, remove)
    if (set.spec.updateStrategy?.type !== 'OnDelete') {
      const next = nextUpdates({ set, eligible, byNode, going: remove, revisionOf, isPaced, nowMs })
      remove.push(...next.replace)
      update = next.inPlace
    }
  }
  return { create, update, remove, ...countsOf(set, seen, nowMs) }
}

/** The same without deciding anything: what a set says of itself while a long plan is being carried out. */
export function countDaemonSet(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  nowMs: number,
  templateOf: TemplateOf = () => set.spec.template,
): Pick<DaemonSetPlan, 'status' | 'recheckInMs'> {
  return countsOf(set, look(set, nodes, pods, templateOf), nowMs)
}

interface Seen {
  readonly revisionOf: (node: string) => NodeRevision
  readonly eligible: readonly Node[]
  readonly byNode: ReadonlyMap<string, readonly Pod[]>
}

function look(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], templateOf: TemplateOf): Seen {
  const revisionOf = revisions(templateOf)
  return {
    revisionOf,
    eligible: nodes.filter((node) => isEligible(revisionOf(nameOf(node)).template, node)),
    byNode: podsByNode(pods.filter((pod) => isControlledBy(pod, uidOf(set)))),
  }
}

function countsOf(set: DaemonSet, { revisionOf, eligible, byNode }: Seen, nowMs: number): Pick<DaemonSetPlan, 'status' | 'recheckInMs'> {
  return {
    status: daemonSetStatus(set, revisionOf, eligible, byNode, nowMs),
    recheckInMs: soonestAsAsked([...byNode.values()].flat(), set.spec.minReadySeconds ?? 0, nowMs),
  }
}

/** One live pod a node: ended ones are replaced, extra ones removed (the oldest stays). A terminating pod still has the place. */
function settle(list: readonly Pod[], to: NodeRevision, create: NodeRevision[], remove: Pod[]): void {
  if (list.length === 0) create.push(to)
  const [only] = list
  if (list.length === 1 && only !== undefined && !isDeleting(only) && !isFinished(only)) return
  const live = list.filter((pod) => !isDeleting(pod)).sort(byAge)
  const ended = live.filter(isFinished)
  remove.push(...ended, ...live.filter((pod) => !ended.includes(pod)).slice(1))
}

/** Node name of a daemon pod: bound, or still pinned by annotation. */
export function daemonNodeOf(pod: Pod): string {
  return pod.spec.nodeName ?? annotationOf(pod, REQUIRED_NODE_ANNOTATION) ?? ''
}

function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const out = new Map<string, Pod[]>()
  for (const pod of pods) {
    const node = daemonNodeOf(pod)
    const list = out.get(node)
    if (list === undefined) out.set(node, [pod])
    else list.push(pod)
  }
  return out
}

/** Does a pod of this template belong on that device? */
export function isEligible(template: PodTemplate, node: Node): boolean {
  const { nodeName, nodeSelector, tolerations } = template.spec
  if (nodeName !== undefined && nodeName !== nameOf(node)) return false
  if (Object.entries(nodeSelector ?? {}).some(([key, value]) => node.metadata.labels?.[key] !== value)) return false
  return (node.spec?.taints ?? []).every((taint) => taint.effect === 'PreferNoSchedule' || tolerates(tolerations ?? [], taint))
}
