/**
 * ConfigMaps and Secrets that travel with the pods that use them, reduced to the keys that are used: a device never holds
 * a value that nothing on it reads. What does not exist is left out, and the device says which pod waits for it.
 */
import type { DesiredConfig } from '../../protocol/desired-state.ts'
import type { PodSpec } from '../../protocol/pod.ts'
import type { ConfigMap } from '../resources/config-map.ts'
import type { Pod } from '../resources/pod.ts'
import type { Secret } from '../resources/secret.ts'
import { compareText, namespaceOf } from './meta.ts'

export type ConfigKind = DesiredConfig['kind']
export type ConfigLookup = (kind: ConfigKind, key: string) => ConfigMap | Secret | undefined

interface Use {
  readonly kind: ConfigKind
  readonly name: string
  /** null = all of them */
  readonly keys: readonly string[] | null
}

/** `ConfigMap namespace/name` of everything that a pod takes values or files from. */
export function configKeysOf(pod: Pod): readonly string[] {
  return [...new Set(usesOf(pod.spec).map(({ kind, name }) => `${kind} ${namespaceOf(pod)}/${name}`))]
}

/** What this pod needs that exists. */
export function configsOfPod(pod: Pod, lookup: ConfigLookup): readonly DesiredConfig[] {
  const namespace = namespaceOf(pod)
  const configs = usesOf(pod.spec).flatMap(({ kind, name, keys }): readonly DesiredConfig[] => {
    const found = lookup(kind, `${namespace}/${name}`)
    if (found === undefined) return []
    const binaryData = 'binaryData' in found ? found.binaryData : undefined
    const data = picked(found.data, keys)
    const binary = picked(binaryData, keys)
    return [{ kind, namespace, name, ...(data === undefined ? {} : { data }), ...(binary === undefined ? {} : { binaryData: binary }) }]
  })
  return mergeConfigs(configs)
}

/** One entry for each object, with all keys that are asked for; in a fixed order, so that equal wishes give equal documents. */
export function mergeConfigs(configs: readonly DesiredConfig[]): readonly DesiredConfig[] {
  const merged = new Map<string, DesiredConfig>()
  for (const config of configs) {
    const key = nameOfConfig(config)
    const before = merged.get(key)
    const data = before?.data === undefined && config.data === undefined ? undefined : { ...before?.data, ...config.data }
    const binaryData =
      before?.binaryData === undefined && config.binaryData === undefined ? undefined : { ...before?.binaryData, ...config.binaryData }
    const { kind, namespace, name } = config
    merged.set(key, { kind, namespace, name, ...(data === undefined ? {} : { data }), ...(binaryData === undefined ? {} : { binaryData }) })
  }
  return [...merged].toSorted(([a], [b]) => compareText(a, b)).map(([, config]) => config)
}

function nameOfConfig({ kind, namespace, name }: DesiredConfig): string {
  return `${kind} ${namespace}/${name}`
}

function usesOf(spec: PodSpec): readonly Use[] {
  const uses: Use[] = []
  for (const { env = [], envFrom = [] } of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const { configMapRef, secretRef } of envFrom) {
      if (configMapRef !== undefined) uses.push({ kind: 'ConfigMap', name: configMapRef.name, keys: null })
      if (secretRef !== undefined) uses.push({ kind: 'Secret', name: secretRef.name, keys: null })
    }
    for (const { valueFrom } of env) {
      const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
      if (configMapKeyRef !== undefined) uses.push({ kind: 'ConfigMap', name: configMapKeyRef.name, keys: [configMapKeyRef.key] })
      if (secretKeyRef !== undefined) uses.push({ kind: 'Secret', name: secretKeyRef.name, keys: [secretKeyRef.key] })
    }
  }
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    for (const source of [
      { configMap, secret: secret === undefined ? undefined : { ...secret, name: secret.secretName } },
      ...(projected?.sources ?? []),
    ]) {
      if (source.configMap !== undefined) uses.push({ kind: 'ConfigMap', name: source.configMap.name, keys: keysOf(source.configMap.items) })
      if (source.secret !== undefined) uses.push({ kind: 'Secret', name: source.secret.name, keys: keysOf(source.secret.items) })
    }
  }
  return uses
}

function keysOf(items: readonly { readonly key: string }[] | undefined): readonly string[] | null {
  return items?.map(({ key }) => key) ?? null
}

function picked(data: Readonly<Record<string, string>> | undefined, keys: readonly string[] | null): Readonly<Record<string, string>> | undefined {
  if (data === undefined || keys === null) return data
  return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(data, key) ? [[key, data[key] ?? ''] as const] : [])))
}
