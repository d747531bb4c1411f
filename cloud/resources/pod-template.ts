/** The pod template that Deployment, ReplicaSet and DaemonSet carry, and the rules they share about it. */
import { POD_SPEC } from '../../protocol/pod.ts'
import { obj, required } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { labelSelectorIssues, requirementsOf, selects } from './label-selector.ts'
import { OBJECT_META } from './object.ts'
import type { LabelSelector } from './object.ts'
import { defaultPodSpec } from './pod-defaults.ts'
import { podSpecIssues } from './pod-rules.ts'
import { policyIssues } from './update-annotations.ts'

export const POD_TEMPLATE = obj({ metadata: OBJECT_META, spec: required(POD_SPEC) })
export type PodTemplate = Infer<typeof POD_TEMPLATE>

/** The template with the defaults that Kubernetes gives to templates (fewer than it gives to pods). */
export function defaultPodTemplate(template: PodTemplate): PodTemplate {
  return { ...template, metadata: template.metadata ?? {}, spec: defaultPodSpec(template.spec) }
}

/** What owns pods through a selector. */
interface Owner {
  readonly selector: LabelSelector
  readonly template: PodTemplate
}

/** Rules for the selector and the template of an owner of pods; `old` is null on create. Paths start at `spec`. */
export function ownerIssues(spec: Owner, old: Owner | null, kind: string): readonly Issue[] {
  return [
    ...selectorIssues(spec, kind),
    ...(old !== null && canonicalJson(old.selector) !== canonicalJson(spec.selector)
      ? [{ path: 'spec.selector', kind: 'forbidden', message: `is immutable; delete the ${kind} and create it again to change it` } as const]
      : []),
    ...podSpecIssues(spec.template.spec, 'spec.template.spec'),
    ...policyIssues(spec.template.metadata?.annotations, 'spec.template.metadata'),
    ...restartPolicyIssues(spec.template, kind),
  ]
}

function selectorIssues({ selector, template }: Owner, kind: string): readonly Issue[] {
  const faults = labelSelectorIssues(selector, 'spec.selector')
  if (faults.length > 0) return faults
  if (requirementsOf(selector).length === 0)
    return [{ path: 'spec.selector', kind: 'invalid', message: `must not be empty: it would take every pod for this ${kind}` }]
  if (selects(selector, template.metadata?.labels)) return []
  return [{ path: 'spec.template.metadata.labels', kind: 'invalid', message: 'must match spec.selector; add the labels that the selector asks for' }]
}

function restartPolicyIssues(template: PodTemplate, kind: string): readonly Issue[] {
  const policy = template.spec.restartPolicy
  if (policy === undefined || policy === 'Always') return []
  return [{ path: 'spec.template.spec.restartPolicy', kind: 'unsupported', message: `must be "Always" for a ${kind}, is ${JSON.stringify(policy)}` }]
}
