/** From a template to a pod, and from a template to the short hash that names its generation. */
import { digestOf } from '../../protocol/revision.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import { controllerReference, nameOf, namespaceOf } from './meta.ts'

export const TEMPLATE_HASH_LABEL = 'pod-template-hash'
export const REVISION_HASH_LABEL = 'controller-revision-hash'
const HASH_LENGTH = 10

/** Equal templates have equal hashes; `collisions` moves on when two templates ever share one. */
export function templateHash(template: PodTemplate, collisions = 0): string {
  return digestOf({ template: withoutHash(template), collisions }).slice(0, HASH_LENGTH)
}

export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return digestOf(withoutHash(a)) === digestOf(withoutHash(b))
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [TEMPLATE_HASH_LABEL]: _dropped, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

export interface NewPod {
  readonly suffix: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** A pod of this owner; uid and times are set by whoever stores it. */
export function podFromTemplate(owner: KubeObject, template: PodTemplate, extra: NewPod): Pod {
  const annotations = { ...template.metadata?.annotations, ...extra.annotations }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${nameOf(owner)}-${extra.suffix}`,
      generateName: `${nameOf(owner)}-`,
      namespace: namespaceOf(owner),
      labels: { ...template.metadata?.labels, ...extra.labels },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec,
    status: { phase: 'Pending' },
  }
}
