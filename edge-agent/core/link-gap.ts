/**
 * How long a connection may be left quiet until the next ping. The first pings after something was said come soon, then seldom. Routers on
 * the way forget quiet connections, some after minutes: a gap that twice in a row ended the connection is not tried again
 * for a week. INVARIANTS: never longer than the pace allows; one loss alone changes nothing, it may be an accident.
 */
import { LIMITS } from '../../protocol/limits.ts'

export interface Gaps {
  /** no longer than this; null = nothing was learned */
  readonly ceilingMs: number | null
  /** the shortest gap after which the connection was gone, while no gap as long has been survived since */
  readonly suspectMs: number | null
  readonly learnedAtMonoMs: number
}

export const NO_GAPS: Gaps = { ceilingMs: null, suspectMs: null, learnedAtMonoMs: 0 }

/** a little less than was said to the broker: a ping that is due must not be late */
const EARLY = 0.97
/** of a gap that was too long, what is tried instead */
const SHORTER = 0.6

/** @param beforeMs the gap before the ping that was just answered; null = something was said */
export function nextGapMs(beforeMs: number | null, keepaliveS: number, gaps: Gaps, nowMonoMs: number): number {
  const forgotten = nowMonoMs - gaps.learnedAtMonoMs >= LIMITS.linkGapForgetMs.value
  const most = Math.min(keepaliveS * 1_000 * EARLY, forgotten ? Infinity : (gaps.ceilingMs ?? Infinity))
  return Math.min(most, beforeMs === null ? firstMs(keepaliveS) : beforeMs * LIMITS.linkGapGrowth.value)
}

export function survived(gaps: Gaps, gapMs: number): Gaps {
  return gaps.suspectMs !== null && gapMs >= gaps.suspectMs ? { ...gaps, suspectMs: null } : gaps
}

/** The ping after `gapMs` found the connection gone, and the cloud could be reached again at once. */
export function lostAfter(gaps: Gaps, gapMs: number, nowMonoMs: number): Gaps {
  if (gapMs <= firstMs(LIMITS.mqttKeepaliveS.value)) return gaps
  if (gaps.suspectMs === null || gapMs < gaps.suspectMs) return { ...gaps, suspectMs: gapMs }
  return { ceilingMs: Math.max(firstMs(LIMITS.mqttKeepaliveS.value), gapMs * SHORTER), suspectMs: null, learnedAtMonoMs: nowMonoMs }
}

function firstMs(keepaliveS: number): number {
  return Math.min(keepaliveS, LIMITS.mqttKeepaliveS.value) * 1_000 * EARLY
}
