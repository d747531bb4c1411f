/**
 * What travels beside the pods for their images: the pull secrets that they name, and images to fetch ahead.
 * `skerry.dev/prefetch` on a Node, or on a Deployment or DaemonSet for the devices that run its pods, lists images, separated
 * by commas; `template` stands for the images of its own template, so that a paused rollout is on the devices before it goes on.
 */
import type { DesiredState, PullCredential } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { slower } from '../../protocol/pull-rate.ts'
import type { ImageRate, PullRate } from '../../protocol/pull-rate.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { annotatedRate } from '../resources/pull-rate.ts'
import type { Secret } from '../resources/secret.ts'
import { annotationOf, compareText, isDeleting, namespaceOf } from './meta.ts'

export const PREFETCH_ANNOTATION = 'skerry.dev/prefetch'

export type Beside = Pick<DesiredState, 'credentials' | 'prefetch' | 'rates'>

/** Keys `namespace/name` of the pull secrets that a pod names. */
export function pullSecretsOf(pod: Pod): readonly string[] {
  return (pod.spec.imagePullSecrets ?? []).map(({ name }) => `${namespaceOf(pod)}/${name}`)
}

/**
 * @param wishes objects that carry the annotation and concern this device, with the images of their template
 * @param scheduled pods that are to run some time
 * @param ahead how fast images may come that are fetched before a pod asks for them
 * Sorted and without repetition, so that the same wishes give the same digest. What is more than the table allows is left out.
 */
export function imagesBeside(
  bound: readonly Pod[],
  secretOf: (key: string) => Secret | undefined,
  wishes: readonly { readonly object: KubeObject; readonly templateImages: readonly string[] }[],
  scheduled: readonly Pod[] = [],
  ahead: readonly ImageRate[] = [],
): Beside {
  const named = new Set([...bound, ...scheduled].filter((pod) => !isDeleting(pod)).flatMap(pullSecretsOf))
  const credentials = [...named]
    .toSorted(compareText)
    .flatMap((key) => credentialsOf(key, secretOf(key)))
    .slice(0, LIMITS.pullCredentials.value)
  const prefetch = [...new Set([...wishes.flatMap(prefetchOf), ...scheduled.flatMap(imagesOfPod)])]
    .toSorted(compareText)
    .slice(0, LIMITS.prefetchImages.value)
  const rates = ratesOf([...bound, ...scheduled], ahead)
  return {
    ...(credentials.length === 0 ? {} : { credentials }),
    ...(prefetch.length === 0 ? {} : { prefetch }),
    ...(rates.length === 0 ? {} : { rates }),
  }
}

function ratesOf(pods: readonly Pod[], ahead: readonly ImageRate[]): readonly ImageRate[] {
  const rates = new Map<string, PullRate>()
  const note = (image: string, rate: PullRate): void => void rates.set(image, slower(rate, rates.get(image) ?? {}))
  for (const pod of pods) {
    const rate = annotatedRate(pod.metadata.annotations)
    if (rate !== null) for (const image of imagesOfPod(pod)) note(image, rate)
  }
  for (const { image, ...rate } of ahead) note(image, rate)
  return [...rates]
    .toSorted(([a], [b]) => compareText(a, b))
    .slice(0, LIMITS.pullRates.value)
    .map(([image, rate]) => ({ image, ...rate }))
}

function imagesOfPod({ spec }: Pod): readonly string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => image)
}

function prefetchOf({ object, templateImages }: { readonly object: KubeObject; readonly templateImages: readonly string[] }): readonly string[] {
  const words = (annotationOf(object, PREFETCH_ANNOTATION) ?? '').split(',').map((word) => word.trim())
  return words.flatMap((word) => (word === 'template' ? templateImages : /^[!-~]{1,512}$/.test(word) ? [word] : []))
}

/** A secret that is absent or unreadable opens nothing; the pull says so. */
function credentialsOf(key: string, secret: Secret | undefined): readonly PullCredential[] {
  const data = secret?.data ?? {}
  const modern = decoded(data['.dockerconfigjson'])
  const entries = isRecord(modern) && isRecord(modern['auths']) ? modern['auths'] : decoded(data['.dockercfg'])
  if (!isRecord(entries)) return []
  return Object.entries(entries).flatMap(([host, entry]) => {
    const login = isRecord(entry) ? loginOf(entry) : null
    return login === null ? [] : [{ secret: key, registry: registryOf(host), ...login }]
  })
}

function loginOf(entry: Readonly<Record<string, unknown>>): { readonly username: string; readonly password: string } | null {
  const { username, password, auth } = entry
  if (typeof username === 'string' && typeof password === 'string') return { username, password }
  const pair = typeof auth === 'string' ? fromBase64(auth) : null
  const colon = pair?.indexOf(':') ?? -1
  return pair === null || colon < 0 ? null : { username: pair.slice(0, colon), password: pair.slice(colon + 1) }
}

const HUB_NAMES: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])

/** As the device writes registries: host and port, Docker Hub as docker.io. */
function registryOf(text: string): string {
  const host = text.replace(/^https?:\/\//, '').split('/')[0] ?? ''
  return HUB_NAMES.has(host) ? 'docker.io' : host
}

function decoded(base64: string | undefined): unknown {
  const text = base64 === undefined ? null : fromBase64(base64)
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return null
  }
}

function fromBase64(base64: string): string | null {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)))
  } catch {
    return null
  }
}
