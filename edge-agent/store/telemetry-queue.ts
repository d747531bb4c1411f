/**
 * Readings on the disk while there is no link, in two queues: as they were taken, and thinned out. INVARIANTS
 * - When the first is full its oldest become few and move to the second; only there the oldest are dropped, and counted.
 * - Given out oldest first. A power cut between the two may leave readings in both, never in neither.
 */
import path from 'node:path'
import { LIMITS } from '../../protocol/limits.ts'
import { parse } from '../../protocol/shape.ts'
import { TELEMETRY_SAMPLE } from '../../protocol/telemetry.ts'
import type { TelemetrySample } from '../../protocol/telemetry.ts'
import { thinOut } from '../core/telemetry.ts'
import type { TelemetryQueue } from '../ports.ts'
import type { Disk } from './disk.ts'
import { SegmentLog } from './segment-log.ts'

/** what is thinned out at once: about one segment of ordinary samples */
const THINNED_AT_ONCE = 256

/** Opens at the first use, again after a failure. */
export function openTelemetryQueue(disk: Disk, dir: string): TelemetryQueue {
  const make = (name: string, maxBytes: number): SegmentLog =>
    new SegmentLog({ disk, dir: path.join(dir, name), maxBytes, segmentBytes: SEGMENT_BYTES })
  const both = (): Queues => ({ fine: make('fine', LIMITS.telemetryQueueBytes.value), coarse: make('coarse', LIMITS.telemetryCoarseBytes.value) })
  let queues: Queues | null = null
  let shown: Queues | null = null
  const opened = async (): Promise<Queues> => {
    if (queues !== null) return queues
    const fresh = both()
    await fresh.coarse.open()
    await fresh.fine.open()
    queues = fresh
    shown = fresh
    return fresh
  }
  return {
    async store(samples) {
      const { fine, coarse } = await opened()
      const records = samples.flatMap(encode)
      const bytes = records.reduce((sum, record) => sum + record.byteLength + RECORD_HEADER, 0)
      while (fine.stats().waiting > 0 && fine.stats().bytes + bytes > LIMITS.telemetryQueueBytes.value) await thin(fine, coarse)
      await fine.append(records)
    },
    async next(max) {
      const { fine, coarse } = await opened()
      for (const queue of [coarse, fine]) {
        const records = await queue.read(0, max)
        const last = records.at(-1)
        if (last === undefined) continue
        return { samples: records.flatMap(({ payload }) => decode(payload)), done: () => queue.ack(last.seq) }
      }
      return null
    },
    stats: () => {
      const [fine, coarse] = [shown?.fine.stats(), shown?.coarse.stats()]
      return {
        bytes: (fine?.bytes ?? 0) + (coarse?.bytes ?? 0),
        waiting: (fine?.waiting ?? 0) + (coarse?.waiting ?? 0),
        dropped: (fine?.dropped ?? 0) + (coarse?.dropped ?? 0),
      }
    },
  }
}

interface Queues {
  readonly fine: SegmentLog
  readonly coarse: SegmentLog
}

const SEGMENT_BYTES = 32 * 1024
const RECORD_HEADER = 24

async function thin(fine: SegmentLog, coarse: SegmentLog): Promise<void> {
  const records = await fine.read(0, THINNED_AT_ONCE)
  const last = records.at(-1)
  // what cannot be read any more is given up, so that this ends
  if (last === undefined) return fine.ack(Number.MAX_SAFE_INTEGER)
  await coarse.append(
    thinOut(
      records.flatMap(({ payload }) => decode(payload)),
      LIMITS.telemetryThinning.value,
    ).flatMap(encode),
  )
  await fine.ack(last.seq)
}

/** A sample too long for one record (long uids) is written in halves. */
function encode(sample: TelemetrySample): readonly Uint8Array[] {
  const bytes = Buffer.from(JSON.stringify(sample), 'utf8')
  if (bytes.byteLength <= LIMITS.queueRecordBytes.value) return [bytes]
  const { pods = {}, device, ...moment } = sample
  const entries = Object.entries(pods)
  if (entries.length < 2) return []
  const half = entries.length >> 1
  const first = { ...moment, ...(device === undefined ? {} : { device }), pods: Object.fromEntries(entries.slice(0, half)) }
  return [...encode(first), ...encode({ ...moment, pods: Object.fromEntries(entries.slice(half)) })]
}

function decode(payload: Uint8Array): readonly TelemetrySample[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    const parsed = parse(TELEMETRY_SAMPLE, value)
    return parsed.ok ? [parsed.value] : []
  } catch {
    return []
  }
}
