/**
 * Keeps one connection known to be alive. INVARIANTS
 * - Only what came from the broker puts a ping off: what is written into a half-open connection proves nothing.
 * - One question at a time, each with a deadline; after `end` nothing is asked.
 * - What was learned of the way (how long it may be quiet) outlives the connection.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { lostAfter, nextGapMs, NO_GAPS, survived } from '../core/link-gap.ts'
import type { LinkPace } from '../core/link-pace.ts'
import type { Clock } from '../ports.ts'

export interface Asks {
  /** asks the broker whether it is there: `answered` */
  ping(): void
  /** the same, with a sign of life that the cloud sees */
  beat(): void
  lost(why: string): void
}

export class Heartbeat {
  readonly #clock: Clock
  #gaps = NO_GAPS
  #asks: Asks | null = null
  #pace: LinkPace | null = null
  #cancel: (() => void) | null = null
  /** the quiet time before the question that is open, or before the last one that was answered */
  #gapMs: number | null = null
  #asked = false
  #beatAtMonoMs = 0
  /** a question ended the connection; it was the quiet that did it if the next one comes at once */
  #lostAfterMs: number | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A connection is up, and this device has just said that it is there. */
  begin(pace: LinkPace, asks: Asks): void {
    const now = this.#now()
    if (this.#lostAfterMs !== null) this.#gaps = lostAfter(this.#gaps, this.#lostAfterMs, now)
    this.#lostAfterMs = null
    this.#asks = asks
    this.#pace = pace
    this.#beatAtMonoMs = now
    this.heard()
  }

  /** Something came from the broker that was not an answer to a question of ours. */
  heard(): void {
    if (this.#asks === null) return
    this.#gapMs = null
    this.#arm()
  }

  answered(): void {
    if (!this.#asked || this.#asks === null) return
    if (this.#gapMs !== null) this.#gaps = survived(this.#gaps, this.#gapMs)
    this.#arm()
  }

  /** The pace of the next gaps; the one that runs ends as it was meant to, or sooner. */
  pace(pace: LinkPace): void {
    this.#pace = pace
    this.heard()
  }

  end(): void {
    this.#cancel?.()
    if (this.#asks !== null && this.#asked) this.#lostAfterMs = this.#gapMs
    this.#asks = null
  }

  /** It was not, or not only, the quiet that ended the connection: a try failed, or it was given up for another reason. */
  failed(): void {
    this.#lostAfterMs = null
  }

  #arm(): void {
    const pace = this.#pace
    if (pace === null) return
    this.#cancel?.()
    this.#asked = false
    const now = this.#now()
    const gapMs = nextGapMs(this.#gapMs, pace.keepaliveS, this.#gaps, now)
    this.#cancel = this.#clock.at(now + gapMs, () => this.#ask(gapMs, pace))
  }

  #ask(gapMs: number, pace: LinkPace): void {
    const now = this.#now()
    const waitMs = Math.min(LIMITS.mqttPongMs.value, pace.keepaliveS * 500)
    this.#gapMs = gapMs
    this.#asked = true
    this.#cancel = this.#clock.at(now + waitMs, () => this.#asks?.lost(`no answer to a ping within ${waitMs / 1_000} s`))
    // the next question would come after the sign of life is due
    if (now + gapMs < this.#beatAtMonoMs + pace.beatMs) return this.#asks?.ping()
    this.#beatAtMonoMs = now
    this.#asks?.beat()
  }

  #now(): number {
    return this.#clock.now().monoMs
  }
}
