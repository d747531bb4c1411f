/**
 * One call to the engine with its deadline. INVARIANTS: the promise settles by the deadline even when the client library
 * never answers; the connection of a call that ran out of time is closed.
 */
import type { Clock } from '../ports.ts'
import { readFailure } from './docker-failures.ts'
import type { CallContext } from './docker-failures.ts'

export interface Caller {
  /** rejects with what the call rejected with, or with code TIMEOUT */
  call<T>(run: (signal: AbortSignal) => Promise<T>, limitMs?: number): Promise<T>
  /** facts for a cause: the limit, and since when the engine has not answered */
  context(limitMs: number): CallContext
}

export function createCaller(clock: Clock, defaultMs: number): Caller {
  let silentSinceWallMs: number | null = null

  const call = <T>(run: (signal: AbortSignal) => Promise<T>, limitMs = defaultMs): Promise<T> =>
    new Promise((resolve, reject) => {
      const closer = new AbortController()
      const cancel = clock.at(clock.now().monoMs + limitMs, () => {
        silentSinceWallMs ??= clock.now().wallMs
        reject(Object.assign(new Error(`no answer within ${limitMs} ms`), { code: 'TIMEOUT' }))
        closer.abort()
      })
      run(closer.signal).then(
        (value) => {
          cancel()
          silentSinceWallMs = null
          resolve(value)
        },
        (error: unknown) => {
          cancel()
          // an HTTP status is an answer, however unwelcome
          if (readFailure(error).status !== null) silentSinceWallMs = null
          else silentSinceWallMs ??= clock.now().wallMs
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      )
    })

  return { call, context: (limitMs) => ({ limitMs, since: new Date(silentSinceWallMs ?? clock.now().wallMs).toISOString() }) }
}
