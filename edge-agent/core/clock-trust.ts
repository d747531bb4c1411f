/**
 * May the wall clock be believed? Workloads never ask; schedules and maintenance windows do, and wait when it may not.
 * It is believed when it stands at or above the floor (build time, last saved time) and where a proof found it: a time
 * service of this boot, the battery-backed clock, or the cloud's signed time. A proof belongs to one difference between wall
 * and monotonic clock: a step away from it loses it, and a step back finds it again.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Now } from './model.ts'
import { rfc3339 } from './wall-time.ts'

/** No agent of this kind is older: a clock before 2026-01-01 forgot the time. */
export const OLDEST_MS = 1_767_225_600_000

/** What the host tells about its clock, as read. */
export interface ClockFacts {
  /** since the host was started; null = not known */
  readonly uptimeMs: number | null
  /** files that time services touch when they have set or confirmed the clock, with their time */
  readonly traces: Readonly<Record<string, number>>
  /** the battery-backed clock that the kernel set the time from at boot; null = there is none */
  readonly hardwareMs: number | null
}

export type ProofBy = 'time-server' | 'hardware-clock' | 'cloud'

export interface ClockTrust {
  readonly builtMs: number
  readonly floorMs: number
  /** wall minus monotonic as last seen; null = not seen yet */
  readonly offsetMs: number | null
  readonly seenAtMonoMs: number
  readonly proof: { readonly by: ProofBy; readonly offsetMs: number } | null
  /** the last step, and how many came without a long pause between them */
  readonly jump: { readonly byMs: number; readonly atMonoMs: number; readonly sinceWallMs: number; readonly times: number } | null
  /** how far the wall clock is before (+) or behind (-) the cloud's, when that is too far and no better proof is there */
  readonly offByMs: number | null
  /** traces as they were when last read: what did not change since a step proves nothing about the new time */
  readonly traces: ClockFacts['traces']
  readonly savedWallMs: number | null
}

/** @param builtMs when this agent was built */
export function freshClock(builtMs: number): ClockTrust {
  const floorMs = Math.max(builtMs, OLDEST_MS)
  return {
    builtMs: floorMs,
    floorMs,
    offsetMs: null,
    seenAtMonoMs: 0,
    proof: null,
    jump: null,
    offByMs: null,
    traces: {},
    savedWallMs: null,
  }
}

/** The wall clock when it may be believed, else null. */
export function trustedWallMs(clock: ClockTrust, now: Now): number | null {
  return clockCause(clock, now) === null ? now.wallMs : null
}

/** Why the wall clock may not be believed, or null when it may. */
export function clockCause(clock: ClockTrust, now: Now): Cause | null {
  const { proof, jump, floorMs, offByMs } = clock
  if (now.wallMs < floorMs - LIMITS.clockToleranceMs.value)
    return cause('clock.behind', { clock: rfc3339(now.wallMs).slice(0, 10), floor: rfc3339(floorMs) })
  if (isUnsteady(clock, now.monoMs)) return cause('clock.unsteady')
  if (proof !== null && Math.abs(now.wallMs - now.monoMs - proof.offsetMs) <= LIMITS.clockToleranceMs.value) return null
  if (offByMs !== null) return cause('clock.wrong', { by: spanText(offByMs) })
  return jump === null ? cause('clock.unproven') : cause('clock.jumped', { by: spanText(jump.byMs) })
}

export function isUnsteady({ jump }: ClockTrust, nowMonoMs: number): boolean {
  return jump !== null && jump.times >= LIMITS.clockUnsteadyJumps.value && nowMonoMs - jump.atMonoMs < LIMITS.clockUnsteadyMs.value
}

const UNITS: readonly (readonly [string, number])[] = [
  ['years', 365.25 * 86_400_000],
  ['days', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
]

/** `+3.0 h`, `-10.0 years`, `+7 s` */
export function spanText(ms: number): string {
  const sign = ms < 0 ? '-' : '+'
  for (const [unit, size] of UNITS) if (Math.abs(ms) >= size) return `${sign}${(Math.abs(ms) / size).toFixed(1)} ${unit}`
  return `${sign}${Math.round(Math.abs(ms) / 1000)} s`
}
