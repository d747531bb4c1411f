/**
 * A queue of keys. INVARIANTS: a key is worked on by one worker at a time; a key added while it is worked on runs once
 * more afterwards; adding a waiting key changes nothing; a failed key comes back after a jittered, growing delay and keeps
 * its place in the count of failures until it succeeds; there are never more keys than the limits table says; in a queue that
 * rests, a key that took long is not worked on again before four times as much time has passed, within the table's bound; work
 * that waits for nothing gives the event loop its turn when the table's time is used up.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock, Log, Meter, Random } from '../ports.ts'

export interface WorkQueueOptions {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly workers?: number
  /** a pass looks at many objects, and each of them adds the key: rest between passes */
  readonly rests?: boolean
  readonly meter?: Meter | undefined
  /** resolves to milliseconds after which the key is to run again, or null; rejects to be tried again with backoff */
  work(key: string): Promise<number | null>
}

export interface WorkQueue {
  add(key: string): void
  /** the earlier of two waits wins */
  addAfter(key: string, ms: number): void
  /** nothing is queued or being worked on (delayed keys do not count) */
  isIdle(): boolean
  /** keys that are queued or worked on: what could be done now and is not */
  backlog(): number
  /** keys that are queued, worked on or delayed */
  waiting(): number
  /** no new work begins; resolves when running work ended */
  stop(): Promise<void>
}

interface Delayed {
  readonly atMonoMs: number
  cancel(): void
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(options)
}

/** A queue that rests leaves four fifths of the time to others. */
const REST = 4

class KeyedQueue implements WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #ready = new Set<string>()
  readonly #running = new Map<string, { again: boolean }>()
  readonly #resting = new Map<string, { again: boolean; cancel(): void }>()
  readonly #delayed = new Map<string, Delayed>()
  readonly #failures = new Map<string, number>()
  #pumpPlanned = false
  /** when this queue first worked in the present turn of the event loop; null = it has not */
  #turnMonoMs: number | null = null
  #stopped = false
  #onDrained: (() => void) | null = null

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  add(key: string): void {
    if (this.#stopped) return
    this.#forgetDelay(key)
    const running = this.#running.get(key) ?? this.#resting.get(key)
    if (running !== undefined) {
      running.again = true
      return
    }
    if (!this.#ready.has(key) && this.#isFull(key)) return
    this.#ready.add(key)
    this.#planPump()
  }

  addAfter(key: string, ms: number): void {
    if (this.#stopped || this.#ready.has(key)) return
    const { clock } = this.#options
    const atMonoMs = clock.monoMs() + Math.max(0, ms)
    const before = this.#delayed.get(key)
    if (before !== undefined && before.atMonoMs <= atMonoMs) return
    if (before === undefined && this.#isFull(key)) return
    before?.cancel()
    this.#delayed.set(key, { atMonoMs, cancel: clock.after(Math.max(0, ms), () => this.add(key)) })
  }

  isIdle(): boolean {
    return this.#ready.size === 0 && this.#running.size === 0
  }

  backlog(): number {
    return this.#ready.size + this.#running.size
  }

  waiting(): number {
    return this.#ready.size + this.#running.size + this.#delayed.size
  }

  stop(): Promise<void> {
    this.#stopped = true
    for (const delayed of this.#delayed.values()) delayed.cancel()
    for (const resting of this.#resting.values()) resting.cancel()
    this.#delayed.clear()
    this.#ready.clear()
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onDrained = resolve
    })
  }

  #isFull(key: string): boolean {
    if (this.#ready.size + this.#delayed.size < LIMITS.workQueueKeys.value) return false
    this.#options.log.error('work queue is full, a key is dropped', { queue: this.#options.name, key, max: LIMITS.workQueueKeys.value })
    return true
  }

  #forgetDelay(key: string): void {
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
  }

  /** In a microtask, so that changes made together are seen together; in the next turn when this one has lasted. */
  #planPump(): void {
    if (this.#pumpPlanned) return
    this.#pumpPlanned = true
    const pump = (): void => {
      this.#pumpPlanned = false
      this.#pump()
    }
    if (this.#hasLasted()) this.#options.clock.after(0, pump)
    else queueMicrotask(pump)
  }

  #hasLasted(): boolean {
    const { clock } = this.#options
    const now = clock.monoMs()
    if (this.#turnMonoMs !== null) return now - this.#turnMonoMs >= LIMITS.workTurnMs.value
    this.#turnMonoMs = now
    clock.after(0, () => {
      this.#turnMonoMs = null
    })
    return false
  }

  #pump(): void {
    const workers = this.#options.workers ?? 4
    for (const key of this.#ready) {
      if (this.#stopped || this.#running.size >= workers) return
      this.#ready.delete(key)
      this.#running.set(key, { again: false })
      void this.#run(key)
    }
  }

  async #run(key: string): Promise<void> {
    const { clock } = this.#options
    const began = clock.monoMs()
    let againInMs: number | null = null
    try {
      againInMs = await this.#options.work(key)
      this.#failures.delete(key)
    } catch (error) {
      againInMs = this.#backoffMs(key)
      this.#options.meter?.count('skerry_work_failures_total', { queue: this.#options.name })
      const why = error instanceof Error ? error.message : String(error)
      if (!this.#stopped)
        this.#options.log.warn('work failed, it is tried again', { queue: this.#options.name, key, why, inMs: Math.round(againInMs) })
    }
    const again = this.#running.get(key)?.again === true
    this.#running.delete(key)
    const tookMs = clock.monoMs() - began
    this.#options.meter?.observe('skerry_work_duration_seconds', tookMs / 1000, { queue: this.#options.name })
    if (this.#options.rests === true && tookMs >= LIMITS.workPauseFromMs.value) this.#rest(key, Math.min(REST * tookMs, LIMITS.workPauseMaxMs.value))
    if (again) this.add(key)
    else if (againInMs !== null) this.addAfter(key, againInMs)
    if (this.#running.size === 0) this.#onDrained?.()
    if (this.#ready.size > 0) this.#planPump()
  }

  #rest(key: string, ms: number): void {
    const cancel = this.#options.clock.after(ms, () => {
      const again = this.#resting.get(key)?.again === true
      this.#resting.delete(key)
      if (again) this.add(key)
    })
    this.#resting.set(key, { again: false, cancel })
  }

  /** Full jitter over a doubling window, never above the table's cap. */
  #backoffMs(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const window = Math.min(LIMITS.workRetryMaxMs.value, LIMITS.workRetryFirstMs.value * 2 ** Math.min(failures - 1, 20))
    return window / 2 + (this.#options.random.next() * window) / 2
  }
}
