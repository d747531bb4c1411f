/**
 * Takes readings while they are wanted, and hands them on. INVARIANTS
 * - Nothing is read while nobody wants any, and never more often than the table allows; one reading, one send, one write at a time.
 * - With a link they go straight on and never touch the disk. Without one they wait in memory, are written seldom, and are sent
 *   oldest first when it returns. What waits in memory is bounded; what is given up is counted.
 * - Readings are the first to go when the day's data is used up.
 */
import type { Allowance } from '../core/data-budget.ts'
import { sampleBetween } from '../core/telemetry.ts'
import type { Reading } from '../core/telemetry.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { TelemetryLook, TelemetrySample } from '../../protocol/telemetry.ts'
import type { Clock, CloudLink, Log, TelemetryQueue } from '../ports.ts'

export interface TelemetryParts {
  readonly device: string
  readonly clock: Clock
  readonly log: Log
  readonly queue: TelemetryQueue
  readonly link: Pick<CloudLink, 'publishTelemetry'>
  allowance(): Allowance
  /** reads the host; never rejects but for a bug */
  read(): Promise<Reading>
  /** container id -> pod uid, as of now */
  pods(): ReadonlyMap<string, string>
}

export interface TelemetryWatch {
  /** from now on, until it is changed; null = not wanted */
  wish(everySeconds: number | null): void
  /** for a while */
  look(look: TelemetryLook): void
  /** the link is up */
  wake(): void
  stop(): Promise<void>
}

export function watchTelemetry(parts: TelemetryParts): TelemetryWatch {
  return new Watch(parts)
}

class Watch implements TelemetryWatch {
  readonly #parts: TelemetryParts
  #wishMs: number | null = null
  #look: { readonly everyMs: number; readonly untilMonoMs: number } | null = null
  #last: Reading | null = null
  #pending: TelemetrySample[] = []
  #pendingSinceMonoMs = 0
  #dropped = 0
  #sentAtMonoMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | null = null
  #reading = false
  #moving = false
  #stopped = false

  constructor(parts: TelemetryParts) {
    this.#parts = parts
  }

  wish(everySeconds: number | null): void {
    this.#wishMs = everySeconds === null ? null : everySeconds * 1000
    this.#arm()
  }

  look({ everySeconds, forSeconds }: TelemetryLook): void {
    this.#look = { everyMs: everySeconds * 1000, untilMonoMs: this.#now() + forSeconds * 1000 }
    this.#arm()
  }

  wake(): void {
    void this.#move()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#store()
  }

  #now(): number {
    return this.#parts.clock.now().monoMs
  }

  #everyMs(): number | null {
    if (this.#look !== null && this.#look.untilMonoMs <= this.#now()) this.#look = null
    const wanted = [this.#wishMs, this.#look?.everyMs ?? null].filter((ms) => ms !== null)
    return wanted.length === 0 ? null : Math.max(LIMITS.telemetrySampleMs.value, Math.min(...wanted))
  }

  #arm(): void {
    this.#cancel?.()
    this.#cancel = null
    const everyMs = this.#everyMs()
    if (everyMs === null || this.#stopped) {
      // a mean over the time in which nobody looked says nothing
      this.#last = null
      return
    }
    const dueMs = this.#last === null ? 0 : this.#last.monoMs + everyMs
    this.#cancel = this.#parts.clock.at(Math.max(this.#now(), dueMs), () => void this.#tick())
  }

  async #tick(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      const reading = await this.#parts.read()
      if (this.#last !== null) this.#keep(sampleBetween(this.#last, reading, this.#parts.pods()))
      this.#last = reading
    } catch (error) {
      this.#last = null
      this.#parts.log.warn('no readings could be taken', { why: String(error) })
      // not at once again
      this.#cancel = this.#parts.clock.at(this.#now() + LIMITS.telemetrySampleMs.value, () => this.#arm())
      return
    } finally {
      this.#reading = false
    }
    this.#arm()
    void this.#move()
  }

  #keep(samples: readonly TelemetrySample[]): void {
    if (this.#pending.length === 0) this.#pendingSinceMonoMs = this.#now()
    this.#pending.push(...samples)
    const over = this.#pending.length - LIMITS.telemetryPending.value
    if (over <= 0) return
    this.#pending.splice(0, over)
    this.#dropped += over
  }

  /** To the cloud as far as it goes; what has waited long goes to the disk. */
  async #move(): Promise<void> {
    if (this.#moving || this.#stopped) return
    this.#moving = true
    try {
      if (await this.#sendAll()) return
      const waitedMs = this.#now() - this.#pendingSinceMonoMs
      if (waitedMs >= LIMITS.telemetryFlushMs.value || this.#pending.length > LIMITS.telemetryPending.value / 2) await this.#store()
    } catch (error) {
      this.#parts.log.warn('readings wait', { why: String(error) })
    } finally {
      this.#moving = false
    }
  }

  /** true when nothing waits any more */
  async #sendAll(): Promise<boolean> {
    const { queue } = this.#parts
    if (!this.#maySend()) return false
    for (;;) {
      // a disk that does not read must not hold back what is in memory
      const stored = await queue.next(LIMITS.telemetryBatch.value).catch(() => null)
      if (stored === null) break
      if (!(await this.#send(stored.samples))) return false
      await stored.done()
      if (!this.#maySend()) return false
    }
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, LIMITS.telemetryBatch.value)
      if (!(await this.#send(batch))) return false
      this.#pending = this.#pending.filter((sample) => !batch.includes(sample))
    }
    return true
  }

  #maySend(): boolean {
    const { telemetryEveryMs } = this.#parts.allowance()
    return telemetryEveryMs !== null && this.#now() - this.#sentAtMonoMs >= telemetryEveryMs
  }

  async #send(samples: readonly TelemetrySample[]): Promise<boolean> {
    const { device, queue, link } = this.#parts
    if (samples.length === 0) return true
    const sent = await link.publishTelemetry({ device, dropped: this.#dropped + queue.stats().dropped, samples })
    if (sent) this.#sentAtMonoMs = this.#now()
    return sent
  }

  async #store(): Promise<void> {
    const samples = [...this.#pending]
    if (samples.length === 0) return
    try {
      await this.#parts.queue.store(samples)
      this.#pending = this.#pending.filter((sample) => !samples.includes(sample))
    } catch (error) {
      // a disk that refuses costs readings, never the agent
      this.#parts.log.warn('readings could not be written', { why: String(error), waiting: this.#pending.length })
    }
  }
}
