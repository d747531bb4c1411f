/** Rules for a pod spec beyond its shape, for pods and templates alike. */
import { isDnsSubdomain } from '../../protocol/ids.ts'
import type { PodSpec, Toleration } from '../../protocol/pod.ts'
import { check } from '../../protocol/shape.ts'
import type { Issue } from '../../protocol/shape.ts'
import { containerIssues, duplicates } from './container-rules.ts'
import { volumeIssues } from './volume-rules.ts'
import { LABELS } from './object.ts'
import { podProbeIssues } from './probe-rules.ts'
import { podResourceIssues } from './quantity-rules.ts'
import { schedulingIssues } from './scheduling-rules.ts'

/** Everything wrong with a pod spec; `path` is where it stands (`spec`, `spec.template.spec`). */
export function podSpecIssues(spec: PodSpec, path: string): readonly Issue[] {
  return [
    ...containerIssues(spec.containers, `${path}.containers`, spec.hostNetwork === true),
    ...(spec.initContainers === undefined || spec.initContainers.length === 0
      ? []
      : containerIssues(spec.initContainers, `${path}.initContainers`, spec.hostNetwork === true)),
    ...duplicates(
      [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name),
      (index) => `${path}.initContainers[${index - spec.containers.length}].name`,
    ).filter(({ path: at }) => !at.includes('[-')),
    ...volumeIssues(spec, path),
    ...podProbeIssues(spec, path),
    ...check(LABELS, spec.nodeSelector ?? {}, `${path}.nodeSelector`),
    ...(spec.tolerations ?? []).flatMap((toleration, index) => tolerationIssues(toleration, `${path}.tolerations[${index}]`)),
    ...podResourceIssues(spec.resources ?? {}, `${path}.resources`),
    ...nameIssues(spec, path),
    ...accountIssues(spec, path),
    ...schedulingIssues(spec, path),
  ]
}

/** A taint or toleration key: same grammar as a label key. */
export function labelKeyIssues(key: string, path: string): readonly Issue[] {
  const bad = check(LABELS, { [key]: '' }, path).length > 0
  return bad
    ? [
        {
          path,
          kind: 'invalid',
          message: `${JSON.stringify(key)} is not valid: an optional DNS prefix and "/", then a name of at most 63 characters`,
        },
      ]
    : []
}

function tolerationIssues(toleration: Toleration, path: string): readonly Issue[] {
  const { key = '', operator = 'Equal', value = '', effect, tolerationSeconds } = toleration
  const issues: Issue[] = []
  if (key === '' && operator !== 'Exists')
    issues.push({ path: `${path}.operator`, kind: 'invalid', message: 'must be "Exists" when key is empty (it then tolerates every taint)' })
  if (key !== '') issues.push(...labelKeyIssues(key, `${path}.key`))
  if (operator === 'Exists' && value !== '')
    issues.push({ path: `${path}.value`, kind: 'invalid', message: 'must be empty when operator is "Exists"' })
  if ((operator === 'Gt' || operator === 'Lt') && !/^-?\d+$/.test(value))
    issues.push({ path: `${path}.value`, kind: 'invalid', message: `must be a whole number when operator is "${operator}"` })
  if (operator === 'Equal') issues.push(...check(LABELS, { value }, path).map((issue) => ({ ...issue, path: `${path}.value` })))
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    issues.push({ path: `${path}.effect`, kind: 'invalid', message: 'must be "NoExecute" when tolerationSeconds is set' })
  }
  return issues
}

function nameIssues(spec: PodSpec, path: string): readonly Issue[] {
  return (['nodeName', 'schedulerName', 'serviceAccountName'] as const).flatMap((field): readonly Issue[] => {
    const name = spec[field]
    if (name === undefined || name === '' || isDnsSubdomain(name)) return []
    return [
      { path: `${path}.${field}`, kind: 'invalid', message: `${JSON.stringify(name)} is not a valid name: lower case letters, digits, "-" and "."` },
    ]
  })
}

function accountIssues(spec: PodSpec, path: string): readonly Issue[] {
  if (spec.serviceAccount === undefined || spec.serviceAccountName === undefined || spec.serviceAccount === spec.serviceAccountName) return []
  return [{ path: `${path}.serviceAccount`, kind: 'invalid', message: 'is the old name of serviceAccountName and must be the same; leave it out' }]
}
