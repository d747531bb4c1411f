/** The templates before and after of each DaemonSet of a release, and which of them a node gets. */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import { check } from '../../../protocol/shape.ts'
import type { DaemonSet } from '../../resources/daemon-set.ts'
import { dropNulls } from '../../resources/drop-nulls.ts'
import { selects } from '../../resources/label-selector.ts'
import { podSpecIssues } from '../../resources/pod-rules.ts'
import { POD_TEMPLATE, defaultPodTemplate } from '../../resources/pod-template.ts'
import type { PodTemplate } from '../../resources/pod-template.ts'
import { PULL_RATE_ANNOTATION, rateAnnotation } from '../../resources/pull-rate.ts'
import type { ReleaseTemplates } from '../../resources/rollout-members.ts'
import type { ReleasePart, RolloutSpec } from '../../resources/rollout-spec.ts'
import { policyIssues, TIME_ZONE_ANNOTATION, UPDATE_WINDOW_ANNOTATION } from '../../resources/update-annotations.ts'
import { uidOf } from '../meta.ts'
import { applyStrategicPatch } from '../patch-strategic.ts'
import { sameTemplate } from '../pod-template.ts'

/** On the pods of a device that is asked once more: the revision is another one for the device, so that it tries. */
export const ATTEMPT_ANNOTATION = 'skerry.dev/rollout-attempt'

export type Resolved = { readonly ok: true; readonly parts: readonly ReleaseTemplates[] } | { readonly ok: false; readonly cause: Cause }

/** `find` gives the DaemonSet of a name, as it is now. */
export function resolveRelease(spec: RolloutSpec, namespace: string, find: (name: string) => DaemonSet | undefined): Resolved {
  const parts: ReleaseTemplates[] = []
  for (const part of spec.release) {
    const set = find(part.daemonSet)
    if (set === undefined) return { ok: false, cause: cause('rollout.no-daemonset', { daemonSet: part.daemonSet, namespace }) }
    const next = changed(part, set, spec)
    if ('fault' in next) return { ok: false, cause: cause('rollout.release.invalid', { daemonSet: part.daemonSet, ...next.fault }) }
    parts.push({ daemonSet: part.daemonSet, daemonSetUid: uidOf(set), previous: set.spec.template, next: next.template })
  }
  const same = parts.every((part) => sameTemplate(part.previous, part.next))
  if (same) return { ok: false, cause: cause('rollout.release.same', { daemonSet: parts.map(({ daemonSet }) => daemonSet).join(', ') }) }
  return { ok: true, parts }
}

interface Fault {
  readonly path: string
  readonly why: string
}

function changed(part: ReleasePart, set: DaemonSet, spec: RolloutSpec): { readonly template: PodTemplate } | { readonly fault: Fault } {
  const own = set.spec.template
  const unknown = Object.keys(part.images ?? {}).find((name) => !containersOf(own).includes(name))
  if (unknown !== undefined)
    return { fault: { path: `images[${JSON.stringify(unknown)}]`, why: `names no container; there are ${containersOf(own).join(', ')}` } }
  const value = part.template ?? withImages(own, part.images ?? {})
  const patched = part.templatePatch === undefined ? { ok: true as const, value } : applyStrategicPatch(POD_TEMPLATE, value, part.templatePatch)
  if (!patched.ok) return { fault: { path: 'templatePatch', why: patched.why } }
  const [shape] = check(POD_TEMPLATE, patched.value)
  if (shape !== undefined) return { fault: { path: shape.path, why: shape.message } }
  const template = withRate(withWindow(defaultPodTemplate(dropNulls(POD_TEMPLATE, patched.value as PodTemplate)), spec), spec)
  const [rule] = [...podSpecIssues(template.spec, 'spec'), ...policyIssues(template.metadata?.annotations, 'metadata')]
  if (rule !== undefined) return { fault: { path: rule.path, why: rule.message } }
  if (!selects(set.spec.selector, template.metadata?.labels))
    return { fault: { path: 'metadata.labels', why: 'must go on matching spec.selector of the DaemonSet' } }
  return { template }
}

function containersOf({ spec }: PodTemplate): readonly string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name)
}

function withImages(template: PodTemplate, images: Readonly<Record<string, string>>): PodTemplate {
  const change = <C extends { readonly name: string; readonly image: string }>(container: C): C => {
    const image = Object.hasOwn(images, container.name) ? images[container.name] : undefined
    return image === undefined ? container : { ...container, image }
  }
  const { initContainers, containers } = template.spec
  return {
    ...template,
    spec: {
      ...template.spec,
      containers: containers.map(change),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(change) }),
    },
  }
}

function withWindow(template: PodTemplate, { window }: RolloutSpec): PodTemplate {
  if (window === undefined) return template
  return withAnnotations(template, {
    [UPDATE_WINDOW_ANNOTATION]: window.updateWindow,
    ...(window.timeZone === undefined ? {} : { [TIME_ZONE_ANNOTATION]: window.timeZone }),
  })
}

function withRate(template: PodTemplate, { bandwidth }: RolloutSpec): PodTemplate {
  return bandwidth === undefined ? template : withAnnotations(template, { [PULL_RATE_ANNOTATION]: rateAnnotation(bandwidth) })
}

function withAnnotations(template: PodTemplate, extra: Readonly<Record<string, string>>): PodTemplate {
  return { ...template, metadata: { ...template.metadata, annotations: { ...template.metadata?.annotations, ...extra } } }
}

/** The new template as the n-th attempt has it; the first is the release itself. */
export function attemptTemplate(template: PodTemplate, attempt: number): PodTemplate {
  return attempt === 0 ? template : withAnnotations(template, { [ATTEMPT_ANNOTATION]: String(attempt) })
}

/** `main: web:1 -> web:2`, or what else changes; for people. */
export function summaryOf({ previous, next }: ReleaseTemplates): string {
  const before = new Map(previous.spec.containers.map(({ name, image }) => [name, image]))
  const images = next.spec.containers.flatMap(({ name, image }) =>
    before.get(name) === image ? [] : [`${name}: ${before.get(name) ?? 'new'} -> ${image}`],
  )
  return images.length === 0 ? 'no image changes' : images.join(', ').slice(0, 2048)
}
