/**
 * History of recent changes and the watchers that read it.
 *
 * INVARIANTS
 * - Revisions in the history are consecutive: every write takes exactly one. `changes[i]` has revision `floor + 1 + i`.
 * - The history is the only queue. A watcher is a cursor into it; one that the history has overtaken is expired, so a slow or
 *   late watcher costs no memory.
 * - Watchers run from a microtask, never inside `publish` or `watch`: a handler may write, watch or stop from where it is, and
 *   each watcher still sees every change after its cursor once and in order.
 * - After a restart the history is empty and its floor is the stored revision: a watcher that asks for less lists again.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Change, WatchHandlers } from '../ports.ts'

interface Watcher {
  readonly resource: string | null
  readonly handlers: WatchHandlers
  /** revision of the last change this watcher has passed */
  cursor: number
}

export interface WatchHubOptions {
  /** changes kept at least; default LIMITS.watchHistory */
  readonly history?: number | undefined
  /** a handler threw: its watch was ended as expired */
  onHandlerError(error: unknown): void
}

export class WatchHub {
  readonly #keep: number
  readonly #onHandlerError: (error: unknown) => void
  readonly #watchers = new Set<Watcher>()
  #changes: Change[] = []
  #floor: number
  #scheduled = false

  /** @param revision last revision that is already stored; nothing at or below it can be replayed */
  constructor(revision: number, options: WatchHubOptions) {
    this.#floor = revision
    this.#keep = options.history ?? LIMITS.watchHistory.value
    this.#onHandlerError = options.onHandlerError
  }

  /** Takes committed changes, in order of revision. */
  publish(changes: readonly Change[]): void {
    if (changes.length === 0) return
    for (const change of changes) this.#changes.push(change)
    // trimming a quarter at a time keeps the cost per change constant
    const excess = this.#changes.length - this.#keep
    if (excess > this.#keep / 4) {
      this.#changes = this.#changes.slice(excess)
      this.#floor += excess
    }
    this.#schedule()
  }

  watch(resource: string | null, from: number | null, handlers: WatchHandlers): () => void {
    const watcher: Watcher = { resource, handlers, cursor: from ?? this.#newest() }
    this.#watchers.add(watcher)
    if (watcher.cursor !== this.#newest()) this.#schedule()
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  /** Changes after `revision`, or null when the history does not reach back that far (or has not come that far). */
  since(revision: number): readonly Change[] | null {
    if (revision < this.#floor || revision > this.#newest()) return null
    return this.#changes.slice(revision - this.#floor)
  }

  /** Ends every watch without a word. */
  close(): void {
    this.#watchers.clear()
  }

  #newest(): number {
    return this.#floor + this.#changes.length
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      for (const watcher of this.#watchers) this.#advance(watcher)
    })
  }

  #advance(watcher: Watcher): void {
    while (this.#watchers.has(watcher) && watcher.cursor !== this.#newest()) {
      const change = this.#changes[watcher.cursor - this.#floor]
      if (watcher.cursor < this.#floor || change === undefined) return this.#expire(watcher)
      watcher.cursor += 1
      if (watcher.resource !== null && watcher.resource !== change.object.resource) continue
      try {
        watcher.handlers.onChange(change)
      } catch (error) {
        this.#onHandlerError(error)
        return this.#expire(watcher)
      }
    }
  }

  #expire(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return
    try {
      watcher.handlers.onExpired()
    } catch (error) {
      this.#onHandlerError(error)
    }
  }
}
