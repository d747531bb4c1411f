/** Manifests of registries (Docker schema 2 and OCI): read tolerantly, taken only when the engine can load what they name. */
import { isRecord } from '../../protocol/shape.ts'

export interface Blob {
  readonly digest: string
  readonly size: number
  readonly mediaType: string
}

export interface ImageManifest {
  readonly config: Blob
  readonly layers: readonly Blob[]
}

export interface Platform {
  readonly architecture: string
  readonly variant: string | null
}

export type Manifest =
  | { readonly kind: 'image'; readonly image: ImageManifest }
  | { readonly kind: 'index'; readonly entries: readonly { readonly digest: string; readonly platform: Platform }[] }
  | { readonly kind: 'unknown' }

/** What is asked for, most wanted first. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const

const DIGEST = /^sha256:[0-9a-f]{64}$/
/** zstd is newer than the oldest engine that is served */
const LAYER = /\.(tar|tar\.gzip|tar\+gzip|layer\.v1\.tar|v1\.tar)$|tar\.gzip$|diff\.tar$/

export function readManifest(json: unknown): Manifest {
  if (!isRecord(json)) return { kind: 'unknown' }
  if (Array.isArray(json['manifests'])) {
    const manifests: readonly unknown[] = json['manifests']
    return { kind: 'index', entries: manifests.flatMap(readEntry) }
  }
  const config = readBlob(json['config'])
  const listed: readonly unknown[] = Array.isArray(json['layers']) ? json['layers'] : []
  const layers = listed.flatMap((item) => readBlob(item) ?? [])
  if (config === null || layers.length !== listed.length || layers.length === 0) return { kind: 'unknown' }
  return layers.every(({ mediaType }) => LAYER.test(mediaType) && !mediaType.includes('foreign'))
    ? { kind: 'image', image: { config, layers } }
    : { kind: 'unknown' }
}

/** The entry for the engine's platform; an exact variant first. */
export function chooseEntry(entries: readonly { readonly digest: string; readonly platform: Platform }[], wanted: Platform): string | null {
  const fitting = entries.filter(({ platform }) => platform.architecture === wanted.architecture)
  const exact = fitting.find(({ platform }) => platform.variant === wanted.variant) ?? fitting.find(({ platform }) => platform.variant === null)
  return (exact ?? fitting[0])?.digest ?? null
}

/** uname's words, which the engine uses, in the registry's. */
export function platformOf(machine: string): Platform {
  switch (machine) {
    case 'x86_64':
      return { architecture: 'amd64', variant: null }
    case 'aarch64':
      return { architecture: 'arm64', variant: 'v8' }
    case 'armv7l':
      return { architecture: 'arm', variant: 'v7' }
    case 'armv6l':
      return { architecture: 'arm', variant: 'v6' }
    default:
      return { architecture: machine, variant: null }
  }
}

function readEntry(item: unknown): readonly { readonly digest: string; readonly platform: Platform }[] {
  const blob = readBlob(item)
  const platform = isRecord(item) && isRecord(item['platform']) ? item['platform'] : {}
  if (blob === null || platform['os'] !== 'linux' || typeof platform['architecture'] !== 'string') return []
  const variant = typeof platform['variant'] === 'string' ? platform['variant'] : null
  return [{ digest: blob.digest, platform: { architecture: platform['architecture'], variant } }]
}

function readBlob(item: unknown): Blob | null {
  if (!isRecord(item)) return null
  const { digest, size, mediaType } = item
  if (typeof digest !== 'string' || !DIGEST.test(digest) || typeof size !== 'number' || !(size >= 0)) return null
  return { digest, size, mediaType: typeof mediaType === 'string' ? mediaType : '' }
}
