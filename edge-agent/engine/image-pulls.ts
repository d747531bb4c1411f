/**
 * Pulls side by side. INVARIANTS: one attempt per image at a time, and who else asks waits for its outcome; at most
 * `pullsAtOnce` attempts run; failed attempts are counted against the hour's budget; progress is told bounded by time.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { noteBegun, waitForBudget } from '../core/image-budget.ts'
import { PULL_SECONDS } from '../core/image-model.ts'
import type { PullProgress, Pulls, PullTotals } from '../core/model.ts'
import type { Clock } from '../ports.ts'
import type { Bytes, FetchOutcome } from './image-fetch.ts'

export interface PullBoard {
  /** runs the attempt, or waits for the one that runs */
  run(
    image: string,
    attempt: number,
    signal: AbortSignal,
    fetch: (onProgress: (bytes: Bytes) => void) => Promise<FetchOutcome>,
  ): Promise<FetchOutcome>
  isPulling(): boolean
  totals(): PullTotals
  /** progress of images that nobody asks for is forgotten */
  keepOnly(images: ReadonlySet<string>): void
  /** a new password deserves a new try */
  forgive(): void
}

export function createPullBoard(clock: Clock, tell: (pulls: Pulls) => void): PullBoard {
  const inFlight = new Map<string, Promise<FetchOutcome>>()
  const progress = new Map<string, PullProgress>()
  const slots = createSlots(LIMITS.pullsAtOnce.value)
  let failed: readonly number[] = []
  const meter = pullMeter(clock)
  const told = createTeller(clock, () => tell(Object.fromEntries(progress)))

  const note = (image: string, next: PullProgress): void => {
    const before = progress.get(image)
    progress.set(image, next)
    if (before?.layersDone === next.layersDone && before.active === next.active) told.soon()
    else told.now()
  }
  const attemptOnce = async (
    image: string,
    attempt: number,
    fetch: (onProgress: (bytes: Bytes) => void) => Promise<FetchOutcome>,
  ): Promise<FetchOutcome> => {
    await slots.take()
    let latest: PullProgress = progress.get(image) ?? { attempt, layersDone: 0, layersTotal: 0, bytesDone: 0, bytesTotal: 0, active: true }
    latest = { ...latest, attempt, active: true }
    note(image, latest)
    const ended = meter.begin()
    try {
      const outcome = await fetch((bytes) => {
        latest = { ...bytes, attempt, active: true }
        note(image, latest)
      })
      ended(outcome.ok)
      if (outcome.ok) progress.delete(image)
      else {
        failed = noteBegun(failed, clock.now().monoMs)
        progress.set(image, { ...latest, active: false })
      }
      return outcome
    } finally {
      told.now()
      slots.give()
    }
  }

  return {
    run: async (image, attempt, signal, fetch) => {
      for (let other = inFlight.get(image); other !== undefined; other = inFlight.get(image)) {
        const outcome = await other
        if (outcome.ok || signal.aborted || !isAbort(outcome.cause)) return outcome
      }
      const waitMs = waitForBudget(failed, clock.now().monoMs)
      if (waitMs !== null) return { ok: false, cause: cause('image.pull.budget', { image, tries: LIMITS.pullsPerHour.value }, waitMs) }
      const mine = attemptOnce(image, attempt, fetch).finally(() => inFlight.delete(image))
      inFlight.set(image, mine)
      return mine
    },
    keepOnly: (images) => {
      for (const image of progress.keys()) if (!images.has(image) && !inFlight.has(image)) progress.delete(image)
      told.soon()
    },
    isPulling: () => inFlight.size > 0,
    totals: meter.totals,
    forgive: () => void (failed = []),
  }
}

/** Whoever finds none waits in line. */
function createSlots(most: number): { take(): Promise<void>; give(): void } {
  const queue: (() => void)[] = []
  let taken = 0
  return {
    async take() {
      if (taken >= most) await new Promise<void>((resolve) => queue.push(resolve))
      else taken += 1
    },
    give() {
      const next = queue.shift()
      if (next === undefined) taken -= 1
      else next()
    },
  }
}

function pullMeter(clock: Clock): { begin(): (ok: boolean) => void; readonly totals: () => PullTotals } {
  const fresh = (): { counts: number[]; seconds: number } => ({ counts: Array.from({ length: PULL_SECONDS.length + 1 }, () => 0), seconds: 0 })
  const totals = { done: fresh(), failed: fresh() }
  return {
    begin() {
      const began = clock.now().monoMs
      return (ok) => {
        const took = (clock.now().monoMs - began) / 1000
        const times = totals[ok ? 'done' : 'failed']
        const found = PULL_SECONDS.findIndex((bound) => took <= bound)
        const at = found < 0 ? PULL_SECONDS.length : found
        times.counts[at] = (times.counts[at] ?? 0) + 1
        times.seconds += took
      }
    },
    totals: () => structuredClone(totals),
  }
}

/** At once, or bundled as the table says. */
function createTeller(clock: Clock, tell: () => void): { now(): void; soon(): void } {
  let toldAt = -Infinity
  let waiting: (() => void) | null = null
  const now = (): void => {
    waiting?.()
    waiting = null
    toldAt = clock.now().monoMs
    tell()
  }
  return {
    now,
    soon: () => {
      waiting ??= clock.at(Math.max(clock.now().monoMs, toldAt + LIMITS.pullProgressMs.value), now)
    },
  }
}

/** Somebody else's pull was stopped because their plan changed: mine has not failed. */
function isAbort(why: Cause): boolean {
  return why.facts['why'] === 'stopped: the plan changed'
}
