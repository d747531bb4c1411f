/**
 * A bounded queue on disk: records in segment files, appended and synced in batches, read oldest first.
 *
 * INVARIANTS
 * - What was appended is on the medium when `append` resolves; a batch is whole or, after a power cut, cut at its end.
 * - A record is given out only when its checksum fits; behind a damaged one nothing of that file is believed, and nothing is
 *   written after it. Sequence numbers never repeat within a stream, so whoever reads sees what is missing.
 * - The files never hold more than the cap: the oldest segment goes first, and its records are counted as dropped.
 * - One operation at a time, in the order of the calls.
 */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { LIMITS } from '../../protocol/limits.ts'
import type { Disk } from './disk.ts'
import { decodeRecords, encodeRecord } from './segment-record.ts'
import type { QueueRecord } from './segment-record.ts'

export interface SegmentLogOptions {
  readonly disk: Disk
  readonly dir: string
  readonly maxBytes: number
  readonly segmentBytes?: number
}

export interface QueueStats {
  /** changes when the queue was lost: sequence numbers begin again */
  readonly stream: string
  readonly bytes: number
  readonly waiting: number
  /** records given up for space since the start of this process */
  readonly dropped: number
  /** segments with a damaged record, found at the start */
  readonly damaged: number
}

interface Segment {
  readonly name: string
  readonly first: number
  last: number
  bytes: number
  /** nothing is appended to a file that ends in damage */
  sealed: boolean
}

export class SegmentLog {
  readonly #options: SegmentLogOptions
  #segments: Segment[] = []
  #stream = ''
  #next = 1
  #acked = 0
  #dropped = 0
  #damaged = 0
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: SegmentLogOptions) {
    this.#options = options
  }

  /** Reads what is there. Call once, first. Rejects when the folder cannot be read. */
  open(): Promise<void> {
    return this.#alone(async () => {
      const { disk, dir } = this.#options
      const names = (await disk.list(dir)).filter((name) => NAME.test(name)).sort()
      this.#stream = NAME.exec(names.at(-1) ?? '')?.[1] ?? randomBytes(4).toString('hex')
      for (const name of names) {
        if (!name.startsWith(`${this.#stream}-`)) await disk.remove(path.join(dir, name))
        else await this.#take(name)
      }
    })
  }

  /** Appends in order; resolves with the last number. Records above the table's size are refused. */
  append(payloads: readonly Uint8Array[]): Promise<number> {
    return this.#alone(async () => {
      const records: Uint8Array[] = []
      let next = this.#next
      for (const payload of payloads) {
        if (payload.byteLength > LIMITS.queueRecordBytes.value) throw new RangeError(`a record of ${payload.byteLength} bytes is too long`)
        records.push(encodeRecord(next, this.#acked, payload))
        next += 1
      }
      if (records.length > 0) await this.#write(Buffer.concat(records), next - 1)
      return next - 1
    })
  }

  /** The oldest records after `seq` that were not given up, at most `max`. */
  read(seq: number, max: number): Promise<readonly QueueRecord[]> {
    return this.#alone(async () => {
      const after = Math.max(seq, this.#acked)
      const found: QueueRecord[] = []
      for (const segment of this.#segments) {
        if (segment.last <= after || found.length >= max) continue
        found.push(...(await this.#records(segment)).filter((record) => record.seq > after))
      }
      return found.slice(0, max)
    })
  }

  /** All up to `seq` are done with: whole segments go. What is acknowledged is written with the next append. */
  ack(seq: number): Promise<void> {
    return this.#alone(async () => {
      this.#acked = Math.max(this.#acked, Math.min(seq, this.#next - 1))
      // the last segment stays: it says where the numbers go on
      while (this.#segments.length > 1 && (this.#segments[0]?.last ?? 0) <= this.#acked) await this.#removeOldest()
    })
  }

  stats(): QueueStats {
    const bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
    const first = Math.max(this.#acked + 1, this.#segments[0]?.first ?? this.#next)
    return { stream: this.#stream, bytes, waiting: Math.max(0, this.#next - first), dropped: this.#dropped, damaged: this.#damaged }
  }

  async #take(name: string): Promise<void> {
    const first = Number(NAME.exec(name)?.[2])
    const segment: Segment = { name, first, last: first - 1, bytes: 0, sealed: false }
    const bytes = (await this.#options.disk.read(this.#at(name), this.#options.maxBytes + SLACK)) ?? new Uint8Array()
    const { records, whole } = decodeRecords(bytes, first)
    // a failed append may have reached the medium after all; what was written again counts
    const before = this.#segments.at(-1)
    if (before !== undefined) before.last = Math.min(before.last, first - 1)
    const last = records.at(-1)
    if (last !== undefined) segment.last = last.seq
    segment.bytes = bytes.byteLength
    segment.sealed = !whole
    if (!whole) this.#damaged += 1
    this.#acked = Math.max(this.#acked, last?.acked ?? 0)
    // a damaged file may have held more numbers than can be read: leave a gap that no file can fill
    this.#next = Math.max(this.#next, segment.last + 1 + (whole ? 0 : Math.ceil(bytes.byteLength / MIN_RECORD)))
    this.#segments.push(segment)
  }

  async #write(bytes: Uint8Array, last: number): Promise<void> {
    const { disk, dir, maxBytes, segmentBytes = LIMITS.queueSegmentBytes.value } = this.#options
    const used = (): number => this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
    while (this.#segments.length > 0 && used() + bytes.byteLength > maxBytes) await this.#removeOldest()
    const current = this.#segments.at(-1)
    if (current !== undefined && !current.sealed && current.bytes + bytes.byteLength <= segmentBytes) {
      // until it is known to be whole, a failed append leaves a file that must not be continued
      current.sealed = true
      await disk.appendSynced(this.#at(current.name), bytes)
      Object.assign(current, { sealed: false, last, bytes: current.bytes + bytes.byteLength })
    } else {
      const name = `${this.#stream}-${String(this.#next).padStart(16, '0')}.seg`
      if (this.#segments.length === 0) await disk.makeDirectory(dir)
      // left by a try that failed
      await disk.remove(this.#at(name))
      await disk.createSynced(this.#at(name), bytes)
      await disk.syncDirectory(dir, this.#at(name))
      this.#segments.push({ name, first: this.#next, last, bytes: bytes.byteLength, sealed: false })
    }
    this.#next = last + 1
  }

  async #removeOldest(): Promise<void> {
    const oldest = this.#segments[0]
    if (oldest === undefined) return
    await this.#options.disk.remove(this.#at(oldest.name))
    this.#segments.shift()
    this.#dropped += Math.max(0, oldest.last - Math.max(this.#acked, oldest.first - 1))
  }

  async #records({ name, first, last }: Segment): Promise<readonly QueueRecord[]> {
    const bytes = await this.#options.disk.read(this.#at(name), this.#options.maxBytes + SLACK)
    return bytes === null ? [] : decodeRecords(bytes, first).records.filter((record) => record.seq <= last)
  }

  #at(name: string): string {
    return path.join(this.#options.dir, name)
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => undefined)
    return done
  }
}

const NAME = /^([0-9a-f]{8})-(\d{16})\.seg$/
/** header of a record */
const MIN_RECORD = 24
const SLACK = 256 * 1024
