/** One attempt to get one image: in resumable parts where the engine takes them, else by the engine's own pull. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Fetched } from '../core/image-record.ts'
import { canonicalRegistry, parseReference, withTag } from '../core/image-reference.ts'
import { whyNoRoom } from '../core/image-space.ts'
import { networkWords } from '../core/network-words.ts'
import type { DiskSpace } from '../core/image-space.ts'
import type { PullCredential, PullProgress } from '../core/model.ts'
import { pullCause, readFailure } from './docker-failures.ts'
import type { EngineFailure } from './docker-failures.ts'
import { LoadError } from './image-engine.ts'
import type { ImageEngine } from './image-engine.ts'
import { createRegistryClient, RegistryError } from './image-registry.ts'
import type { Staging } from './image-staging.ts'
import type { PullPace, RateNow } from './pull-pace.ts'
import { NotThisWayError, resolveImage, transferImage } from './image-transfer.ts'

export type Bytes = Omit<PullProgress, 'attempt' | 'active'>

export interface FetchParts {
  readonly engine: ImageEngine
  readonly staging: Staging
  readonly stallMs: number
  readonly pace: PullPace
  /** folder with the registries' own certificates: the engine's */
  hasOwnCertificate(registry: string): Promise<boolean>
  /** null when it cannot be told */
  space(dataRoot: string): Promise<DiskSpace | null>
  /** removes what may go */
  freeSpace(): Promise<void>
}

export type FetchOutcome = { readonly ok: true; readonly fetched: Fetched } | { readonly ok: false; readonly cause: Cause }

export interface Fetch {
  readonly image: string
  readonly credential: PullCredential | null
  readonly rate: RateNow
}

class NoRoomError extends Error {}

/** Never rejects. The cause says with `gained` whether the attempt brought the image further. */
export async function fetchImage(
  parts: FetchParts,
  { image, credential, rate }: Fetch,
  signal: AbortSignal,
  onProgress: (bytes: Bytes) => void,
): Promise<FetchOutcome> {
  let first: number | null = null
  let last = 0
  const note = (bytes: Bytes): void => {
    first ??= bytes.bytesDone
    last = Math.max(last, bytes.bytesDone)
    const limit = rate()
    onProgress(limit === null || bytes.unheld === true ? bytes : { ...bytes, limit })
  }
  try {
    return { ok: true, fetched: await attempt(parts, { image, credential, rate }, signal, note) }
  } catch (error) {
    const gained = first !== null && last > first
    return { ok: false, cause: causeOf(error, image, signal, gained, parts.stallMs) }
  }
}

async function attempt(
  parts: FetchParts,
  { image, credential, rate }: Fetch,
  signal: AbortSignal,
  onProgress: (bytes: Bytes) => void,
): Promise<Fetched> {
  const { engine, staging, stallMs, pace } = parts
  const { takesParts, usesProxy, platform, dataRoot, speaksPlain } = await engine.facts()
  const registry = parseReference(image)?.registry ?? ''
  const makeRoom = (missing: readonly number[]): Promise<void> => roomFor(parts, missing, dataRoot)
  if (takesParts && !usesProxy && registry !== '' && !(await parts.hasOwnCertificate(registry))) {
    const client = createRegistryClient({ registry, credential, insecure: speaksPlain(canonicalRegistry(registry)), stallMs })
    try {
      const transfer = { engine, staging, platform, pace, rate, makeRoom, onProgress, registry: client }
      const resolved = await resolveImage(transfer, image, signal)
      await transferImage(transfer, image, resolved, signal)
      return { id: resolved.id, reference: image, digest: resolved.digest }
    } catch (error) {
      if (!(error instanceof NotThisWayError)) throw error
    }
  }
  await makeRoom([1])
  if (rate() !== null) onProgress({ layersDone: 0, layersTotal: 0, bytesDone: 0, bytesTotal: 0, unheld: true })
  const failure = await engine.pull(image, credential, signal, { stallMs, totalMs: LIMITS.enginePullMs.value })
  if (failure !== null) throw new RegistryError(failure)
  const made = await engine.inspect(withTag(image))
  if (made === null) throw new RegistryError({ status: null, code: null, text: 'the engine does not have it after its pull' })
  const digest = made.digests[0]?.split('@')[1]
  return { id: made.id, reference: image, ...(digest === undefined ? {} : { digest }) }
}

async function roomFor({ space, freeSpace }: FetchParts, missing: readonly number[], dataRoot: string): Promise<void> {
  const look = async (): Promise<string | null> => {
    const found = await space(dataRoot)
    return found === null ? null : whyNoRoom(missing, found)
  }
  if ((await look()) === null) return
  await freeSpace()
  const why = await look()
  if (why !== null) throw new NoRoomError(why)
}

function causeOf(error: unknown, image: string, signal: AbortSignal, gained: boolean, stallMs: number): Cause {
  if (error instanceof NoRoomError) return cause('image.pull.disk-full', { image, why: error.message })
  const failure = failureOf(error, signal)
  const why = pullCause(failure, image, { limitMs: stallMs, since: '' })
  const retryInMs = error instanceof RegistryError ? error.retryInMs : null
  const told = gained ? { ...why, facts: { ...why.facts, gained: 'yes' } } : why
  return retryInMs === null ? told : { ...told, retryInMs }
}

function failureOf(error: unknown, signal: AbortSignal): EngineFailure {
  if (signal.aborted) return { status: null, code: 'ABORTED', text: 'stopped: the plan changed' }
  if (error instanceof RegistryError || error instanceof LoadError) return error.failure
  const failure = readFailure(error)
  // an errno here is the registry's connection or the staging disk, not the engine's socket
  return failure.code === 'STALLED'
    ? failure
    : { ...failure, code: null, text: failure.code === null ? failure.text : networkWords(failure.text, failure.code) }
}
