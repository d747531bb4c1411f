/**
 * Follows one image pull to its end. INVARIANTS: the stream is always consumed or destroyed; the promise settles exactly
 * once, on end, error line, stall, total limit or abort; nothing of the progress is kept but the last error.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import { withTag } from '../core/image-reference.ts'
import type { EngineFailure } from './docker-failures.ts'
import { readFailure } from './docker-failures.ts'
import { readJsonLines } from './json-lines.ts'

export interface PullLimits {
  /** nothing received for this long ends the pull */
  readonly stallMs: number
  readonly totalMs: number
}

/** Starts the pull; the signal closes its connection. */
export type OpenPull = (reference: string, signal: AbortSignal) => Promise<NodeJS.ReadableStream>

/** null = the image is there. The failure's code is STALLED, TIMEOUT or ABORTED when it was ended from this side. */
export function pullImage(open: OpenPull, image: string, signal: AbortSignal, limits: PullLimits): Promise<EngineFailure | null> {
  return new Promise((resolve) => {
    const closer = new AbortController()
    let settled = false
    const settle = (failure: EngineFailure | null): void => {
      if (settled) return
      settled = true
      clearTimeout(stall)
      clearTimeout(total)
      signal.removeEventListener('abort', abort)
      closer.abort()
      resolve(failure)
    }
    const abort = (): void => settle({ status: null, code: 'ABORTED', text: 'stopped: the plan changed' })
    const stall = setTimeout(() => settle({ status: null, code: 'STALLED', text: `nothing received for ${limits.stallMs} ms` }), limits.stallMs)
    const total = setTimeout(() => settle({ status: null, code: 'TIMEOUT', text: `not finished within ${limits.totalMs} ms` }), limits.totalMs)
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()
    open(withTag(image), closer.signal).then(
      (stream) => follow(stream, () => stall.refresh(), settle),
      (error: unknown) => settle(readFailure(error)),
    )
  })
}

function follow(stream: NodeJS.ReadableStream, alive: () => void, settle: (failure: EngineFailure | null) => void): void {
  // the engine answers 200 first and reports its failure as a line
  let said: EngineFailure | null = null
  readJsonLines(stream, LIMITS.messageText.value * 64, {
    bytes: alive,
    line: (value) => {
      if (isRecord(value) && typeof value['error'] === 'string') said = readFailure({ message: value['error'] })
    },
    end: (error) => settle(said ?? (error === null ? null : readFailure(error))),
  })
}
