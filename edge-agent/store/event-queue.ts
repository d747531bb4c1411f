/**
 * Events on their way to the disk. INVARIANTS: what waits in memory is bounded, the oldest is given up and counted; one write
 * a second at most; a disk that fails costs events, never the agent.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord, parse } from '../../protocol/shape.ts'
import { HAPPENING } from '../../protocol/events.ts'
import type { DeviceHappening } from '../../protocol/events.ts'
import type { Clock, EventQueue, Log } from '../ports.ts'
import type { SegmentLog } from './segment-log.ts'

const MEMORY_MAX = 256

/** @param onStored something new can be read */
export function createEventQueue(queue: SegmentLog, deps: { readonly clock: Clock; readonly log: Log; readonly onStored: () => void }): EventQueue {
  const { clock, log, onStored } = deps
  let waiting: Uint8Array[] = []
  let dropped = 0
  let timer: (() => void) | null = null
  let opened: Promise<boolean> | null = null
  const open = (): Promise<boolean> => {
    opened ??= queue.open().then(
      () => true,
      (error: unknown) => {
        log.error('the event queue cannot be opened', { why: messageOf(error) })
        opened = null
        return false
      },
    )
    return opened
  }
  const later = (ms: number): void => {
    timer ??= clock.at(clock.now().monoMs + ms, () => {
      timer = null
      void flush()
    })
  }
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    try {
      if (!(await open())) throw new Error('it is not open')
      await queue.append(batch)
      onStored()
    } catch (error) {
      dropped += Math.max(0, batch.length + waiting.length - MEMORY_MAX)
      waiting = [...batch, ...waiting].slice(-MEMORY_MAX)
      log.warn('events could not be written; they are tried again', { why: messageOf(error), waiting: waiting.length })
      later(LIMITS.storageRetryMaxMs.value)
    }
  }

  return {
    record(event) {
      waiting.push(encode(event))
      if (waiting.length > MEMORY_MAX) {
        waiting.shift()
        dropped += 1
      }
      later(LIMITS.queueFlushMs.value)
    },
    async next(max) {
      if (!(await open())) return []
      return (await queue.read(0, max)).flatMap(({ seq, payload }) => {
        const event = decode(payload)
        return event === null ? [] : [{ seq, event }]
      })
    },
    ack: (seq) => queue.ack(seq),
    stats: () => ({ ...queue.stats(), dropped: queue.stats().dropped + dropped }),
    async stop() {
      timer?.()
      timer = null
      await flush()
    },
  }
}

function encode(event: DeviceHappening): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(event), 'utf8')
  if (bytes.byteLength <= LIMITS.queueRecordBytes.value) return bytes
  return Buffer.from(JSON.stringify({ ...event, message: event.message.slice(0, 256) }), 'utf8')
}

function decode(payload: Uint8Array): DeviceHappening | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    const parsed = parse(HAPPENING, value)
    return isRecord(value) && parsed.ok ? parsed.value : null
  } catch {
    return null
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
