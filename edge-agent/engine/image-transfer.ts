/**
 * Fetches an image so that nothing is fetched twice. The engine forgets every layer of a pull that was cut (measured: dockerd
 * 20.10), so the layers are downloaded here, from the byte where the last attempt stopped, and handed to the engine one by
 * one: below the name `skerry-partial` it holds an image of the layers so far, until the last makes it whole.
 *
 * INVARIANTS
 * - The engine itself checks every layer against the image's config, and the config against the manifest's digest is checked
 *   here: what was not whole is never named.
 * - At most one layer is on the disk twice.
 * - What the engine has is asked of the engine, never remembered.
 */
import { createHash } from 'node:crypto'
import { isRecord } from '../../protocol/shape.ts'
import { parseReference } from '../core/image-reference.ts'
import type { ImageReference } from '../core/image-reference.ts'
import type { PullProgress } from '../core/model.ts'
import { imageArchive } from './image-archive.ts'
import type { ImageEngine } from './image-engine.ts'
import { chooseEntry, readManifest } from './image-manifest.ts'
import type { Blob, ImageManifest, Platform } from './image-manifest.ts'
import { RegistryError } from './image-registry.ts'
import type { RegistryClient } from './image-registry.ts'
import type { Staging } from './image-staging.ts'
import type { PullPace, RateNow } from './pull-pace.ts'

export const PARTIAL = 'skerry-partial'

/** The engine can take it, but this way cannot: another way may. */
export class NotThisWayError extends Error {}

export interface TransferParts {
  readonly engine: ImageEngine
  readonly registry: RegistryClient
  readonly staging: Staging
  readonly platform: Platform
  readonly pace: PullPace
  readonly rate: RateNow
  /** rejects when that many bytes do not fit; may make room first */
  makeRoom(missing: readonly number[]): Promise<void>
  onProgress(progress: Omit<PullProgress, 'attempt' | 'active' | 'limit' | 'unheld'>): void
}

export interface Resolved {
  readonly reference: ImageReference
  /** of the image's own manifest, also when the tag names a list of them */
  readonly digest: string
  readonly manifest: ImageManifest
  /** the engine's id of the image */
  readonly id: string
}

/** Asks the registry what the reference is now. Rejects with RegistryError or NotThisWayError. */
export async function resolveImage({ registry, platform }: TransferParts, image: string, signal: AbortSignal): Promise<Resolved> {
  const reference = parseReference(image)
  if (reference === null) throw new NotThisWayError(`${image} is no reference`)
  let name = reference.digest ?? reference.tag ?? 'latest'
  for (let level = 0; level < 2; level += 1) {
    const bytes = await registry.manifest(reference.repository, name, signal)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    if (name.startsWith('sha256:') && name !== digest)
      throw new RegistryError({ status: null, code: null, text: `the registry sent another manifest than ${name}` })
    const read = readManifest(parseJson(bytes))
    if (read.kind === 'image') return { reference, digest, manifest: read.image, id: read.image.config.digest }
    const chosen = read.kind === 'index' ? chooseEntry(read.entries, platform) : null
    if (read.kind === 'index' && chosen === null) {
      throw new RegistryError({ status: 404, code: null, text: `no such image for ${platform.architecture}` })
    }
    if (chosen === null) break
    name = chosen
  }
  throw new NotThisWayError(`${image} has a manifest of an unknown kind`)
}

/** Brings the resolved image into the engine under this name. */
export async function transferImage(parts: TransferParts, image: string, resolved: Resolved, signal: AbortSignal): Promise<void> {
  const { engine, staging, registry, pace, rate } = parts
  const { manifest, reference, id, digest } = resolved
  const name = reference.tag === null ? `${image.split('@')[0] ?? image}:pinned-${digest.slice(7, 19)}` : (image.split('@')[0] ?? image)
  if ((await engine.inspect(id)) !== null) return engine.tag(id, name)
  const config = await fetchConfig(registry, reference.repository, manifest.config, signal)
  const diffIds = diffIdsOf(config)
  if (diffIds.length !== manifest.layers.length) throw new NotThisWayError(`${image} has ${manifest.layers.length} layers and ${diffIds.length} ids`)
  const partial = `${PARTIAL}:${id.slice(7, 19)}`
  let present = await presentLayers(engine, diffIds)
  const progress = progressTeller(parts, manifest.layers)
  const missing = manifest.layers.slice(present)
  const held = await Promise.all(missing.map((blob) => staging.held(blob)))
  progress(present, held[0] ?? 0)
  await parts.makeRoom(missing.map(({ size }, index) => size - (held[index] ?? 0)))
  for (const [index, blob] of manifest.layers.entries()) {
    if (index < present) continue
    const file = await staging.fetch({ registry, repository: reference.repository, pace, rate }, blob, (done) => progress(index, done), signal)
    const last = index === manifest.layers.length - 1
    const layers = manifest.layers.slice(0, index + 1).map((_, each) => (each === index ? file : null))
    await (last ? load(engine, config, id, layers, name, signal) : loadPartial(engine, config, diffIds.slice(0, index + 1), layers, partial, signal))
    await staging.drop(blob)
    present = index + 1
    progress(present, 0)
  }
  // every layer was there already, under another image
  if (missing.length === 0)
    await load(
      engine,
      config,
      id,
      diffIds.map(() => null),
      name,
      signal,
    )
  await engine.removeImage(partial)
}

async function loadPartial(
  engine: ImageEngine,
  config: Buffer,
  diffIds: readonly string[],
  layers: readonly (string | null)[],
  tag: string,
  signal: AbortSignal,
): Promise<void> {
  const json = parseJson(config)
  if (!isRecord(json)) throw new NotThisWayError('its config is no object')
  const part = Buffer.from(
    JSON.stringify({ architecture: json['architecture'], os: json['os'], config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }),
  )
  const before = await engine.inspect(tag)
  await load(engine, part, `sha256:${createHash('sha256').update(part).digest('hex')}`, layers, tag, signal)
  if (before !== null) await engine.removeImage(before.id)
}

async function load(
  engine: ImageEngine,
  config: Buffer,
  id: string,
  layers: readonly (string | null)[],
  tag: string,
  signal: AbortSignal,
): Promise<void> {
  await engine.load(imageArchive({ config, id: id.slice('sha256:'.length), layers, tags: [tag] }), signal)
}

async function fetchConfig(registry: RegistryClient, repository: string, { digest, size }: Blob, signal: AbortSignal): Promise<Buffer> {
  if (size > CONFIG_BYTES) throw new NotThisWayError(`its config has ${size} bytes`)
  const { stream } = await registry.blob(repository, digest, 0, signal)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > size) break
    chunks.push(chunk)
  }
  const config = Buffer.concat(chunks)
  if (`sha256:${createHash('sha256').update(config).digest('hex')}` === digest) return config
  throw new RegistryError({ status: null, code: null, text: 'the image config arrived damaged; it is fetched again' })
}

const CONFIG_BYTES = 4 * 1024 * 1024

/** How many layers from the bottom are the same as those of some image in the engine. */
async function presentLayers(engine: ImageEngine, diffIds: readonly string[]): Promise<number> {
  let most = 0
  for (const { id } of await engine.list()) {
    const layers = (await engine.inspect(id))?.layers ?? []
    let same = 0
    while (same < diffIds.length && layers[same] === diffIds[same]) same += 1
    most = Math.max(most, same)
  }
  return most
}

function progressTeller({ onProgress }: TransferParts, layers: readonly Blob[]): (layersDone: number, bytesOfNext: number) => void {
  const bytesTotal = layers.reduce((sum, { size }) => sum + size, 0)
  return (layersDone, bytesOfNext) => {
    const bytesDone = layers.slice(0, layersDone).reduce((sum, { size }) => sum + size, 0) + bytesOfNext
    onProgress({ layersDone, layersTotal: layers.length, bytesDone, bytesTotal })
  }
}

function diffIdsOf(config: Buffer): readonly string[] {
  const json = parseJson(config)
  const rootfs = isRecord(json) && isRecord(json['rootfs']) ? json['rootfs'] : {}
  const ids: readonly unknown[] = Array.isArray(rootfs['diff_ids']) ? rootfs['diff_ids'] : []
  return ids.flatMap((one) => (typeof one === 'string' ? [one] : []))
}

function parseJson(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return value
  } catch {
    return null
  }
}
