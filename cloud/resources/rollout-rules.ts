/** Rules of a Rollout beyond its shape: what contradicts itself, and what may not change once it was created. */
import { LIMITS } from '../../protocol/limits.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { Issue } from '../../protocol/shape.ts'
import { labelSelectorIssues } from './label-selector.ts'
import { podSpecIssues } from './pod-rules.ts'
import { bandwidthIssues } from './pull-rate.ts'
import { metricIssues } from './rollout-metric.ts'
import { amountIssues, isZeroAmount } from './rollout-amount.ts'
import { policyIssues, TIME_ZONE_ANNOTATION, UPDATE_WINDOW_ANNOTATION } from './update-annotations.ts'
import type { NodeChoice, ReleasePart, RolloutSpec, Wave } from './rollout-spec.ts'

export function rolloutIssues(spec: RolloutSpec, old: RolloutSpec | null, adopted: boolean): readonly Issue[] {
  return [
    ...(adopted ? endedIssues(spec, old) : []),
    ...releaseIssues(spec),
    ...choiceIssues(spec.target ?? {}, 'spec.target'),
    ...(spec.exclude ?? []).flatMap((choice, index) => [
      ...choiceIssues(choice, `spec.exclude[${index}]`),
      ...(choice.selector === undefined && choice.names === undefined
        ? [{ path: `spec.exclude[${index}]`, kind: 'required', message: 'needs a selector or names' } as const]
        : []),
    ]),
    ...waveIssues(spec.waves ?? []),
    ...metricIssues(spec.gate?.metrics ?? [], 'spec.gate.metrics'),
    ...(spec.waves ?? []).flatMap(({ gate }, index) => metricIssues(gate?.metrics ?? [], `spec.waves[${index}].gate.metrics`)),
    ...parallelIssues(spec.maxParallel),
    ...windowIssues(spec.window),
    ...bandwidthIssues(spec.bandwidth),
    ...controlIssues(spec),
    ...(old === null ? [] : changeIssues(spec, old)),
  ]
}

function releaseIssues({ release }: RolloutSpec): readonly Issue[] {
  if (release.length === 0) return [{ path: 'spec.release', kind: 'required', message: 'needs at least one DaemonSet that changes' }]
  const seen = new Set<string>()
  return release.flatMap((part, index): readonly Issue[] => {
    const path = `spec.release[${index}]`
    if (seen.has(part.daemonSet)) return [{ path: `${path}.daemonSet`, kind: 'invalid', message: `${part.daemonSet} is named twice` }]
    seen.add(part.daemonSet)
    return partIssues(part, path)
  })
}

function partIssues(part: ReleasePart, path: string): readonly Issue[] {
  const given = (['images', 'templatePatch', 'template'] as const).filter((field) => part[field] !== undefined)
  if (given.length !== 1)
    return [{ path, kind: 'required', message: `needs exactly one of images, templatePatch and template; it has ${given.join(' and ') || 'none'}` }]
  if (part.template !== undefined) return podSpecIssues(part.template.spec, `${path}.template.spec`)
  if (part.images !== undefined && Object.keys(part.images).length === 0)
    return [{ path: `${path}.images`, kind: 'required', message: 'needs at least one container' }]
  return part.templatePatch === undefined ? [] : patchIssues(part.templatePatch, `${path}.templatePatch`)
}

/** The rest is checked when the patch is applied: only then it is known what it is applied to. */
function patchIssues(patch: unknown, path: string): readonly Issue[] {
  if (!isRecord(patch)) return [{ path, kind: 'type', message: 'must be an object such as {spec: {containers: [{name: main, image: "web:2"}]}}' }]
  const bytes = JSON.stringify(patch).length
  if (bytes > LIMITS.rolloutPatchBytes.value)
    return [{ path, kind: 'too-many', message: `must be at most ${LIMITS.rolloutPatchBytes.value} bytes, is ${bytes}` }]
  return Object.keys(patch)
    .filter((key) => key !== 'metadata' && key !== 'spec')
    .map((key): Issue => ({ path: `${path}.${key}`, kind: 'unknown', message: 'a pod template has metadata and spec only' }))
}

function choiceIssues({ selector }: NodeChoice, path: string): readonly Issue[] {
  return selector === undefined ? [] : labelSelectorIssues(selector, `${path}.selector`)
}

const MEMBERSHIP = ['percent', 'count', 'selector', 'names'] as const

function waveIssues(waves: readonly Wave[]): readonly Issue[] {
  return waves.flatMap((wave, index): readonly Issue[] => {
    const path = `spec.waves[${index}]`
    const given = MEMBERSHIP.filter((field) => wave[field] !== undefined)
    if (given.length > 1)
      return [{ path, kind: 'invalid', message: `takes its members by one of percent, count, selector and names; it has ${given.join(' and ')}` }]
    if (given.length === 0 && index < waves.length - 1)
      return [{ path, kind: 'invalid', message: 'takes the rest, so it must be the last wave; give it percent, count, selector or names' }]
    const twin = wave.name === undefined ? -1 : waves.findIndex((other) => other.name === wave.name)
    if (twin >= 0 && twin < index)
      return [{ path: `${path}.name`, kind: 'invalid', message: `${JSON.stringify(wave.name)} is already the name of wave ${twin + 1}` }]
    return wave.selector === undefined ? [] : labelSelectorIssues(wave.selector, `${path}.selector`)
  })
}

function parallelIssues(amount: number | string | undefined): readonly Issue[] {
  const path = 'spec.maxParallel'
  const issues = amountIssues(amount, path, true)
  if (issues.length > 0 || !isZeroAmount(amount ?? 1)) return issues
  return [{ path, kind: 'invalid', message: 'must not be 0: nothing would ever change; use paused: true to stop' }]
}

/** The rules are those of the annotations that it becomes. */
function windowIssues(window: RolloutSpec['window']): readonly Issue[] {
  if (window === undefined) return []
  const field: Readonly<Record<string, string>> = { [UPDATE_WINDOW_ANNOTATION]: 'updateWindow', [TIME_ZONE_ANNOTATION]: 'timeZone' }
  const annotations = {
    [UPDATE_WINDOW_ANNOTATION]: window.updateWindow,
    ...(window.timeZone === undefined ? {} : { [TIME_ZONE_ANNOTATION]: window.timeZone }),
  }
  return policyIssues(annotations, 'spec.window').map((issue) => {
    const key = Object.keys(field).find((annotation) => issue.path.includes(annotation))
    return { ...issue, path: key === undefined ? 'spec.window' : `spec.window.${field[key] ?? ''}` }
  })
}

function controlIssues(spec: RolloutSpec): readonly Issue[] {
  const waves = spec.waves?.length ?? 0
  const issue = (field: string, most: number, which: string): Issue => ({
    path: `spec.${field}`,
    kind: 'invalid',
    message: `must be at most ${most}, ${which}`,
  })
  return [
    ...((spec.approvedWave ?? 0) > waves + 1 ? [issue('approvedWave', waves + 1, 'the number of the last wave')] : []),
    ...((spec.promotedWave ?? 0) > waves + 2 ? [issue('promotedWave', waves + 2, 'one more than the last wave: past its gate, too')] : []),
  ]
}

/** Members are frozen when it is created: what chose them may not change; what a person counted up never goes down. */
function changeIssues(spec: RolloutSpec, old: RolloutSpec): readonly Issue[] {
  const fixed = (['release', 'target', 'planId'] as const).filter((field) => canonicalJson(spec[field] ?? null) !== canonicalJson(old[field] ?? null))
  const issues = fixed.map((field): Issue => ({ path: `spec.${field}`, kind: 'forbidden', message: 'is fixed once created: make another Rollout' }))
  if (canonicalJson((spec.waves ?? []).map(membership)) !== canonicalJson((old.waves ?? []).map(membership)))
    issues.push({ path: 'spec.waves', kind: 'forbidden', message: 'are fixed once created, but for gate and approval: make another Rollout' })
  for (const field of ['approvedWave', 'promotedWave', 'acknowledgedPauses', 'retries'] as const)
    if ((spec[field] ?? 0) < (old[field] ?? 0))
      issues.push({ path: `spec.${field}`, kind: 'forbidden', message: `must not go down: it is ${old[field] ?? 0}` })
  if (old.abort !== undefined && spec.abort !== old.abort && !(old.abort === 'Stay' && spec.abort === 'Return'))
    issues.push({ path: 'spec.abort', kind: 'forbidden', message: 'cannot be taken back; make another Rollout' })
  const kept = new Set(spec.rolledBackWaves ?? [])
  if ((old.rolledBackWaves ?? []).some((wave) => !kept.has(wave)))
    issues.push({ path: 'spec.rolledBackWaves', kind: 'forbidden', message: 'waves that were rolled back stay so; make another Rollout' })
  return issues
}

function membership({ gate: _gate, approval: _approval, ...rest }: Wave): unknown {
  return rest
}

/** The DaemonSets have the new template for their own: going back is another change. */
function endedIssues(spec: RolloutSpec, old: RolloutSpec | null): readonly Issue[] {
  return (['abort', 'rolledBackWaves'] as const)
    .filter((field) => canonicalJson(spec[field] ?? null) !== canonicalJson(old?.[field] ?? null))
    .map((field): Issue => ({
      path: `spec.${field}`,
      kind: 'forbidden',
      message: 'comes too late: the rollout is complete and the DaemonSets have the new template; make another Rollout with the old one',
    }))
}
