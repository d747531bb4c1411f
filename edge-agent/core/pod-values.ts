/**
 * Values that a pod takes from other objects, from itself and from its containers' resources. Texts of Secrets pass through
 * here into environments and files, and nowhere else: causes name objects and keys, never values.
 */
import type { ConfigValue } from './pod-model.ts'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredConfig } from '../../protocol/desired-state.ts'
import type { FieldRef, ResourceFieldRef } from '../../protocol/pod-volumes.ts'
import { parseMilli, parseUnits } from '../../protocol/units.ts'
import type { ContainerSpec, DesiredPod, DesiredState } from './model.ts'

export type Resolved<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly cause: Cause }

/** What a pod is told about the place where it runs. */
export interface Surroundings {
  readonly device: string
  readonly hostIp: string | null
  /** known once its sandbox runs; the host's address on the host's network */
  readonly podIp: string | null
  readonly cpuMilli: number
  readonly memoryBytes: number
}

export type Configs = ReadonlyMap<string, DesiredConfig>

const known = new WeakMap<DesiredState, Configs>()

/** The document's ConfigMaps and Secrets by kind and name; indexed once a document. */
export function configsOf(desired: DesiredState): Configs {
  const before = known.get(desired)
  if (before !== undefined) return before
  const made: Configs = new Map((desired.configs ?? []).map((config) => [`${config.kind} ${config.namespace}/${config.name}`, config]))
  known.set(desired, made)
  return made
}

export function configOf(configs: Configs, kind: DesiredConfig['kind'], namespace: string, name: string): DesiredConfig | null {
  return configs.get(`${kind} ${namespace}/${name}`) ?? null
}

/** Everything in it, by key. */
export function valuesOf({ kind, data = {}, binaryData = {} }: DesiredConfig): ReadonlyMap<string, ConfigValue> {
  const plain = Object.entries(data).map(([key, text]) => [key, { text, base64: kind === 'Secret' }] as const)
  return new Map([...plain, ...Object.entries(binaryData).map(([key, text]) => [key, { text, base64: true }] as const)])
}

/** For environments: bytes that are no text are replaced as by every UTF-8 reader. */
export function textOf({ text, base64 }: ConfigValue): string {
  if (!base64) return text
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)))
  } catch {
    return ''
  }
}

export function missing(kind: DesiredConfig['kind'], name: string, key?: string): Resolved<never> {
  return { ok: false, cause: cause('config.missing', { kind, name, what: key === undefined ? 'does not exist' : `has no key ${key}` }) }
}

export function fieldValue({ fieldPath }: FieldRef, pod: DesiredPod, around: Surroundings): Resolved<string> {
  const found = (value: string | null | undefined): Resolved<string> =>
    value === null || value === undefined ? unreadable(fieldPath, 'it is not known on this device') : { ok: true, value }
  const label = /^metadata\.labels\['(.+)'\]$/.exec(fieldPath)?.[1]
  if (label !== undefined) return found(pod.labels?.[label] ?? '')
  switch (fieldPath) {
    case 'metadata.name':
      return found(pod.name)
    case 'metadata.namespace':
      return found(pod.namespace)
    case 'metadata.uid':
      return found(pod.uid)
    case 'metadata.labels':
      return found(
        Object.entries(pod.labels ?? {})
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
          .join('\n'),
      )
    case 'spec.nodeName':
      return found(around.device)
    case 'spec.serviceAccountName':
      return found(pod.spec.serviceAccountName ?? 'default')
    case 'status.hostIP':
    case 'status.hostIPs':
      return found(around.hostIp)
    case 'status.podIP':
    case 'status.podIPs':
      return found(around.podIp)
    default:
      return unreadable(fieldPath, 'no such field is told to containers')
  }
}

/** A limit that is not set is what the device has, as in Kubernetes; a request that is not set is 0. */
export function resourceValue(ref: ResourceFieldRef, pod: DesiredPod, own: ContainerSpec | null, around: Surroundings): Resolved<string> {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const container = ref.containerName === undefined || ref.containerName === '' ? own : all.find(({ name }) => name === ref.containerName)
  const match = /^(limits|requests)\.(.+)$/.exec(ref.resource)
  if (container === undefined || container === null || match === null) return unreadable(ref.resource, 'it names no container and resource')
  const [, part = '', name = ''] = match
  const written = container.resources?.[part === 'limits' ? 'limits' : 'requests']?.[name]
  const isCpu = name === 'cpu'
  const device = part === 'requests' ? 0 : isCpu ? around.cpuMilli : name === 'memory' ? around.memoryBytes : 0
  const amount = written === undefined ? device : ((isCpu ? parseMilli(written) : parseUnits(written)) ?? 0)
  const divisor =
    ref.divisor === undefined || String(ref.divisor) === '0' ? (isCpu ? 1000 : 1) : ((isCpu ? parseMilli : parseUnits)(ref.divisor) ?? 1)
  return { ok: true, value: String(Math.ceil(amount / Math.max(divisor, 1))) }
}

export function unreadable(field: string, why: string): Resolved<never> {
  return { ok: false, cause: cause('config.unreadable', { field, why }) }
}
