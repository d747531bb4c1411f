/**
 * A lowdb adapter that survives a power cut: one header line `{fmt,gen,len,sha256}`, then the JSON body. Two generations
 * are kept; what is read is checked byte by byte.
 *
 * INVARIANTS
 * - At every moment at least one complete generation is reachable by a durable name, once the first write was acknowledged.
 * - A name is pointed only at bytes that are already on the medium; a write is acknowledged after the directory is synced.
 * - The previous generation is given up only while the current one is known to be the best.
 * - The marker is made after the first generation is durable: a marker without a readable generation means loss, never "new".
 * - One write at a time: the caller serialises.
 */
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Adapter } from 'lowdb'
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import { errorCode } from './disk.ts'
import type { Disk } from './disk.ts'

/** There was something and it cannot be read: whoever gets this must not act as if there had been nothing. */
export class StateUnknownError extends Error {
  override readonly name = 'StateUnknownError'
}

/** A write that is not durable; the last acknowledged generation is still there. `code` is the system's (ENOSPC, EROFS, EIO, …). */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: string
  constructor(file: string, reason: unknown) {
    super(`${file} was not saved: ${reason instanceof Error ? reason.message : String(reason)}`, { cause: reason })
    this.code = errorCode(reason)
  }
}

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

export interface DurableFileOptions<T> {
  readonly disk: Disk
  readonly dir: string
  readonly name: string
  /** its presence says that a generation was once durable */
  readonly marker: string
  /** checks what was read; a refusal makes the file unknown */
  readonly decode: (body: unknown) => Decoded<T>
}

type Candidate =
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'good'; readonly gen: number; readonly body: Uint8Array }

const FORMAT = 1

export class DurableFile<T> implements Adapter<T> {
  /** what was wrong with the files at the last read; not empty with a value means that an older generation was used */
  problems: readonly string[] = []
  readonly #options: DurableFileOptions<T>
  #gen = 0
  #currentIsBest = false
  #marked = false

  constructor(options: DurableFileOptions<T>) {
    this.#options = options
  }

  /** The best generation; null only when there never was one. Rejects with StateUnknownError when there was and it cannot be read. */
  read = async (): Promise<T | null> => {
    const { disk, dir, name, marker, decode } = this.#options
    const names = await this.#names()
    await disk.remove(this.#at(`${name}.tmp`)).catch(() => undefined)
    const current = await this.#candidate(name)
    const previous = await this.#candidate(`${name}.prev`)
    this.problems = [current, previous].flatMap((one) => (one.kind === 'damaged' ? [one.why] : []))
    const best = better(current, previous)
    this.#marked = names.includes(marker)
    this.#gen = best?.gen ?? 0
    this.#currentIsBest = best !== null && best === current
    if (best === null) {
      const corrupt = names.some((other) => other.startsWith(`${name}.`) && other.endsWith('.corrupt'))
      if (this.problems.length === 0 && !this.#marked && !corrupt) return null
      throw new StateUnknownError(this.problems.length > 0 ? this.problems.join('; ') : `${path.join(dir, name)} has vanished`)
    }
    if (best !== current && this.problems.length === 0) this.problems = [`${name}: an older generation than ${name}.prev`]
    const decoded = decode(parseJson(best.body))
    if (!decoded.ok) throw new StateUnknownError(`${path.join(dir, name)}: ${decoded.why}`)
    return decoded.value
  }

  /** Resolves when the value and its name are on the medium. Rejects with StorageError; the last generation stays. */
  write = async (value: T): Promise<void> => {
    const { disk, dir, name, marker } = this.#options
    const temp = this.#at(`${name}.tmp`)
    this.#gen += 1
    try {
      await disk.makeDirectory(dir)
      await disk.remove(temp)
      await disk.createSynced(temp, encode(this.#gen, Buffer.from(JSON.stringify(value), 'utf8')))
      if (this.#currentIsBest) await this.#keepPrevious()
      await disk.rename(temp, this.#at(name))
      this.#currentIsBest = true
      await disk.syncDirectory(dir, this.#at(name))
      if (!this.#marked) {
        await disk.remove(this.#at(marker))
        await disk.createSynced(this.#at(marker), new Uint8Array())
        await disk.syncDirectory(dir, this.#at(marker))
        this.#marked = true
      }
    } catch (error) {
      // on a full disk the partial file would hold the space that the next try needs
      await disk.remove(temp).catch(() => undefined)
      throw new StorageError(this.#at(name), error)
    }
  }

  async #keepPrevious(): Promise<void> {
    const { disk, name } = this.#options
    await disk.remove(this.#at(`${name}.prev`))
    try {
      await disk.link(this.#at(name), this.#at(`${name}.prev`))
    } catch (error) {
      // FAT and some overlays have no hard links, and a person may have removed the file: the rename is atomic all the same
      if (!['ENOENT', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errorCode(error))) throw error
    }
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#options.disk.list(this.#options.dir)
    } catch (error) {
      throw new StateUnknownError(`${this.#options.dir} cannot be listed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #candidate(name: string): Promise<Candidate> {
    const { disk } = this.#options
    let bytes: Uint8Array | null
    try {
      bytes = await disk.read(this.#at(name), LIMITS.stateFileBytes.value)
    } catch (error) {
      return { kind: 'damaged', why: `${name}: ${error instanceof Error ? error.message : String(error)}` }
    }
    if (bytes === null) return { kind: 'absent' }
    const decoded = decode(bytes)
    if (decoded !== null) return { kind: 'good', ...decoded }
    // one name each: at most two such files ever lie there for whoever wants to look
    await disk.rename(this.#at(name), this.#at(`${name === this.#options.name ? `${name}.current` : name}.corrupt`)).catch(() => undefined)
    return { kind: 'damaged', why: `${name}: ${bytes.byteLength} bytes that fail their checksum` }
  }

  #at(name: string): string {
    return path.join(this.#options.dir, name)
  }
}

function better(current: Candidate, previous: Candidate): Extract<Candidate, { kind: 'good' }> | null {
  if (current.kind !== 'good') return previous.kind === 'good' ? previous : null
  return previous.kind === 'good' && previous.gen > current.gen ? previous : current
}

/** The file's bytes for one generation. The generation is part of what the checksum covers. */
export function encode(gen: number, body: Uint8Array): Uint8Array {
  const sha256 = createHash('sha256').update(`${FORMAT}\n${gen}\n`).update(body).digest('hex')
  return Buffer.concat([Buffer.from(`${JSON.stringify({ fmt: FORMAT, gen, len: body.byteLength, sha256 })}\n`, 'utf8'), body])
}

/** Only bytes that `encode` would write again are accepted: no flipped bit is without effect. */
function decode(bytes: Uint8Array): { readonly gen: number; readonly body: Uint8Array } | null {
  const end = bytes.indexOf(0x0a)
  if (end < 0 || end > LIMITS.envelopeHeaderBytes.value) return null
  const header = parseJson(bytes.subarray(0, end))
  if (!isRecord(header) || typeof header['gen'] !== 'number' || !Number.isSafeInteger(header['gen'])) return null
  const body = bytes.subarray(end + 1)
  return Buffer.compare(encode(header['gen'], body), bytes) === 0 ? { gen: header['gen'], body } : null
}

/** undefined when the bytes are not UTF-8 JSON */
function parseJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return value
  } catch {
    return undefined
  }
}
