/** Rules for volumes, environment and init containers beyond their shape: what the names refer to, and one source each. */
import type { ContainerSpec, PodSpec } from '../../protocol/pod.ts'
import type { Volume } from '../../protocol/pod-volumes.ts'
import type { Issue } from '../../protocol/shape.ts'
import { duplicates } from './container-rules.ts'

const KINDS = ['configMap', 'secret', 'downwardAPI', 'projected', 'emptyDir', 'hostPath', 'persistentVolumeClaim'] as const
const FIELDS = /^(metadata\.(name|namespace|uid|labels\['[^']+'\])|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?))$/
const FILE_FIELDS = /^metadata\.(name|namespace|uid|labels|labels\['[^']+'\])$/
const RESOURCES = /^(limits|requests)\.(cpu|memory|pids|ephemeral-storage|hugepages-.+)$/

export function volumeIssues(spec: PodSpec, path: string): readonly Issue[] {
  const volumes = spec.volumes ?? []
  const names = volumes.map(({ name }) => name)
  const containers = [
    ...(spec.initContainers ?? []).map((container, index) => ({ container, at: `${path}.initContainers[${index}]` })),
    ...spec.containers.map((container, index) => ({ container, at: `${path}.containers[${index}]` })),
  ]
  return [
    ...duplicates(names, (index) => `${path}.volumes[${index}].name`),
    ...volumes.flatMap((volume, index) => oneVolume(volume, `${path}.volumes[${index}]`)),
    ...containers.flatMap(({ container, at }) => [...mountIssues(container, at, volumes), ...envIssues(container, at)]),
    ...spec.containers.flatMap((container, index): readonly Issue[] =>
      container.restartPolicy === undefined
        ? []
        : [{ path: `${path}.containers[${index}].restartPolicy`, kind: 'forbidden', message: 'is only for init containers; set it on the pod' }],
    ),
    ...identityIssues(spec, containers, path),
  ]
}

function oneVolume(volume: Volume, path: string): readonly Issue[] {
  const given = KINDS.filter((kind) => volume[kind] !== undefined)
  const issues: Issue[] = []
  if (given.length === 0) issues.push({ path, kind: 'required', message: `must have one of ${KINDS.join(', ')}` })
  if (given.length > 1) issues.push({ path, kind: 'forbidden', message: `may not have more than one kind, has ${given.join(' and ')}` })
  const files = [...(volume.downwardAPI?.items ?? []), ...(volume.projected?.sources ?? []).flatMap((source) => source.downwardAPI?.items ?? [])]
  for (const { fieldRef, resourceFieldRef } of files) {
    if ((fieldRef === undefined) === (resourceFieldRef === undefined))
      issues.push({ path, kind: 'required', message: 'each downwardAPI item must have one of fieldRef, resourceFieldRef' })
    if (fieldRef !== undefined && !FILE_FIELDS.test(fieldRef.fieldPath)) issues.push(notTold(`${path}.fieldRef`, fieldRef.fieldPath, 'files'))
    if (resourceFieldRef !== undefined && resourceFieldRef.containerName === undefined)
      issues.push({ path, kind: 'required', message: 'resourceFieldRef of a volume must have a containerName' })
  }
  for (const source of volume.projected?.sources ?? [])
    if (Object.keys(source).length !== 1)
      issues.push({ path: `${path}.projected`, kind: 'invalid', message: 'each source must have exactly one kind' })
  if (volume.hostPath?.path.split('/').includes('..') === true)
    issues.push({ path: `${path}.hostPath.path`, kind: 'invalid', message: 'must not contain ".."' })
  return issues
}

function mountIssues({ volumeMounts = [] }: ContainerSpec, path: string, volumes: readonly Volume[]): readonly Issue[] {
  return [
    ...duplicates(
      volumeMounts.map(({ mountPath }) => mountPath),
      (index) => `${path}.volumeMounts[${index}].mountPath`,
    ),
    ...volumeMounts.flatMap((mount, index): readonly Issue[] => {
      const at = `${path}.volumeMounts[${index}]`
      const volume = volumes.find(({ name }) => name === mount.name)
      if (volume === undefined)
        return [{ path: `${at}.name`, kind: 'invalid', message: `there is no volume ${JSON.stringify(mount.name)} in this pod` }]
      const { subPath = '' } = mount
      if (subPath === '') return []
      // a container that may write a folder could put a link there, and mount what it leads to
      const ofFiles =
        volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined || volume.projected !== undefined
      if (!ofFiles)
        return [{ path: `${at}.subPath`, kind: 'unsupported', message: 'is only supported for configMap, secret, downwardAPI and projected volumes' }]
      const bad = subPath.startsWith('/') || subPath.split('/').some((part) => part.startsWith('..'))
      return bad ? [{ path: `${at}.subPath`, kind: 'invalid', message: 'must be a relative path without ".."' }] : []
    }),
  ]
}

function envIssues({ env = [], envFrom = [] }: ContainerSpec, path: string): readonly Issue[] {
  return [
    ...env.flatMap(({ value, valueFrom }, index): readonly Issue[] => {
      if (valueFrom === undefined) return []
      const at = `${path}.env[${index}].valueFrom`
      if (value !== undefined && value !== '') return [{ path: at, kind: 'invalid', message: 'may not be set when value is not empty' }]
      const given = Object.keys(valueFrom)
      if (given.length !== 1) return [{ path: at, kind: 'invalid', message: `must have exactly one source, has ${given.join(' and ') || 'none'}` }]
      const { fieldRef, resourceFieldRef } = valueFrom
      if (fieldRef !== undefined && !FIELDS.test(fieldRef.fieldPath)) return [notTold(`${at}.fieldRef.fieldPath`, fieldRef.fieldPath, 'environments')]
      if (resourceFieldRef !== undefined && !RESOURCES.test(resourceFieldRef.resource))
        return [notTold(`${at}.resourceFieldRef.resource`, resourceFieldRef.resource, 'environments')]
      return []
    }),
    ...envFrom.flatMap((source, index): readonly Issue[] =>
      (source.configMapRef === undefined) === (source.secretRef === undefined)
        ? [{ path: `${path}.envFrom[${index}]`, kind: 'required', message: 'must have one of configMapRef, secretRef' }]
        : [],
    ),
  ]
}

/** The engine takes a group only beside a user. */
function identityIssues(
  { securityContext: pod }: PodSpec,
  containers: readonly { readonly container: ContainerSpec; readonly at: string }[],
  path: string,
): readonly Issue[] {
  const issues = containers.flatMap(({ container: { securityContext: own }, at }): readonly Issue[] => {
    const found: Issue[] = []
    const user = own?.runAsUser ?? pod?.runAsUser
    if (own?.runAsGroup !== undefined && user === undefined)
      found.push({ path: `${at}.securityContext.runAsGroup`, kind: 'unsupported', message: 'needs runAsUser beside it' })
    if ((own?.runAsNonRoot ?? pod?.runAsNonRoot) === true && user === 0)
      found.push({ path: `${at}.securityContext.runAsUser`, kind: 'invalid', message: 'must not be 0 when runAsNonRoot is true' })
    if (own?.privileged === true && own.allowPrivilegeEscalation === false)
      found.push({ path: `${at}.securityContext.allowPrivilegeEscalation`, kind: 'invalid', message: 'cannot be false when privileged is true' })
    return found
  })
  if (pod?.runAsGroup === undefined || pod.runAsUser !== undefined) return issues
  return [...issues, { path: `${path}.securityContext.runAsGroup`, kind: 'unsupported', message: 'needs runAsUser beside it' }]
}

function notTold(path: string, what: string, where: string): Issue {
  return { path, kind: 'unsupported', message: `${JSON.stringify(what)} is not supported in ${where} by this version of Skerry` }
}
