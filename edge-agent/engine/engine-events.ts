/**
 * The engine's event stream for our containers. INVARIANTS: at most one stream and one reconnect timer exist; a broken stream
 * never throws; every connection and every break wakes once, because events may have been missed; a burst wakes once.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import { readJsonLines } from './json-lines.ts'

export interface EventHandlers {
  /** while false, events may be missed */
  onConnected(connected: boolean): void
  /** that container changed; null = anything may have changed */
  onChanged(id: string | null): void
  /** coalesced: something changed */
  onWake(): void
}

/** How long a burst is gathered. A restart of 20 containers is then a few looks, not 100. */
const BURST_MS = 10
/**
 * The same while looks follow each other: the agent's own work on a container makes six events, and a look after each of them took an eighth
 * of the processor time that an update of ten pods costs agent and engine. A crash after a quiet moment does not wait for it.
 */
const BUSY_BURST_MS = 100
const QUIET_MS = 250
/** longest pause between tries: an engine that comes back is noticed within it */
const RETRY_MAX_MS = LIMITS.tickMinMs.value

/** What may change our view of a container; exec and attach noise is left out. */
export const WATCHED_ACTIONS: readonly string[] = ['create', 'start', 'restart', 'die', 'oom', 'destroy', 'pause', 'unpause', 'rename', 'update']

/** @param open connects the stream; the signal closes it. The result stops everything. */
export function followEvents(open: (signal: AbortSignal) => Promise<NodeJS.ReadableStream>, handlers: EventHandlers): () => void {
  const closer = new AbortController()
  let retryMs = LIMITS.retryFirstMs.value
  let wake: NodeJS.Timeout | null = null
  let retry: NodeJS.Timeout | null = null
  let wokeAtMs = -Infinity

  const changed = (id: string | null): void => {
    handlers.onChanged(id)
    if (wake !== null) return
    const busy = performance.now() - wokeAtMs < QUIET_MS
    wake = setTimeout(
      () => {
        wake = null
        wokeAtMs = performance.now()
        handlers.onWake()
      },
      busy ? BUSY_BURST_MS : BURST_MS,
    )
  }
  const again = (): void => {
    if (closer.signal.aborted) return
    handlers.onConnected(false)
    retry = setTimeout(connect, retryMs)
    retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)
  }
  const connected = (stream: NodeJS.ReadableStream): void => {
    retryMs = LIMITS.retryFirstMs.value
    handlers.onConnected(true)
    readJsonLines(stream, LIMITS.messageText.value * 64, { line: (value) => changed(containerId(value)), end: broken })
    changed(null)
  }
  /** a stream that breaks is often the first sign of an engine that is gone */
  const broken = (): void => {
    if (!closer.signal.aborted) changed(null)
    again()
  }
  const connect = (): void => {
    retry = null
    open(closer.signal).then(connected, again)
  }
  connect()
  return () => {
    closer.abort()
    handlers.onConnected(false)
    if (wake !== null) clearTimeout(wake)
    if (retry !== null) clearTimeout(retry)
  }
}

function containerId(event: unknown): string | null {
  if (!isRecord(event)) return null
  const actor = event['Actor']
  const id = isRecord(actor) ? actor['ID'] : event['id']
  return typeof id === 'string' ? id : null
}
