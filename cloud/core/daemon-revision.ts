/** Which template a node is to have of a DaemonSet, as daemon pods get it. */
import type { Toleration } from '../../protocol/pod.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import { templateHash } from './pod-template.ts'

/** Which template a node is to have: the set's own, or another for a while (a rollout). Called once a node. */
export type TemplateOf = (node: string) => PodTemplate

/** What one node is to run of a set. */
export interface NodeRevision {
  readonly node: string
  /** as daemon pods get it */
  readonly template: PodTemplate
  /** controller-revision-hash */
  readonly hash: string
}

/** Nodes mostly share a template: it is hashed once. */
export function revisions(templateOf: TemplateOf): (node: string) => NodeRevision {
  const known = new Map<PodTemplate, Omit<NodeRevision, 'node'>>()
  return (node) => {
    const own = templateOf(node)
    const before = known.get(own) ?? { template: daemonTemplate(own), hash: templateHash(own) }
    known.set(own, before)
    return { node, ...before }
  }
}

/** What every daemon pod puts up with: a device that is not ready, cordoned or short of something still gets its agent. */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]

/** The template as daemon pods get it. */
export function daemonTemplate(template: PodTemplate): PodTemplate {
  const given = template.spec.tolerations ?? []
  const missing = DAEMON_TOLERATIONS.filter((extra) => !given.some((have) => have.key === extra.key && have.effect === extra.effect))
  return { ...template, spec: { ...template.spec, tolerations: [...given, ...missing] } }
}
