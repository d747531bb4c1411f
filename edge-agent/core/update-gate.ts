/** May the device switch to a new revision now? Holds of people on site, then leases, then windows. Fetching is never held up. */
import { openZone } from '../../protocol/calendar.ts'
import type { Zone } from '../../protocol/calendar.ts'
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { UpdateLock } from '../../protocol/update-policy.ts'
import { parseWindows, windowAt } from '../../protocol/update-window.ts'
import type { Now } from './model.ts'
import { overrideCause } from './overrides.ts'
import type { Override } from './saved-model.ts'
import type { HeldLock, PendingUpdate, PodRecord } from './update-model.ts'
import { rfc3339 } from './wall-time.ts'

export interface GateFacts {
  readonly now: Now
  readonly overrides: readonly Override[]
  /** why the wall clock may not be believed, or null */
  readonly clockCause: Cause | null
  /** IANA name of the device's own zone */
  readonly zone: string
}

export type Gate = Omit<PendingUpdate, 'pod'>

/** What stands against it, or null. */
export function gateOf(pod: DesiredPod, record: PodRecord, facts: GateFacts): Gate | null {
  const mine = facts.overrides.filter((one) => one.pod?.uid === pod.uid)
  const hold = mine.find(({ kind }) => kind === 'hold' || kind === 'hold-update')
  if (hold !== undefined) return { reason: 'Held', cause: overrideCause(hold), notBeforeMonoMs: hold.untilMonoMs }
  if (mine.some(({ kind }) => kind === 'update-now')) return null
  return lockGate(pod, record, facts) ?? windowGate(pod, facts)
}

function lockGate({ policy }: DesiredPod, { lock }: PodRecord, { now }: GateFacts): Gate | null {
  if (policy?.lock === undefined || lock === null || lock.untilMonoMs <= now.monoMs) return null
  const { owner, reason, expires } = policy.lock
  return { reason: 'Locked', cause: cause('update.locked', { owner, reason, until: expires }), notBeforeMonoMs: lock.untilMonoMs }
}

function windowGate({ policy }: DesiredPod, { now, clockCause, zone }: GateFacts): Gate | null {
  if (policy?.window === undefined) return null
  const closed = (why: Cause, notBeforeMonoMs: number | null): Gate => ({ reason: 'WindowClosed', cause: why, notBeforeMonoMs })
  const parsed = parseWindows(policy.window)
  const name = policy.timeZone ?? zone
  const there = zoneOf(name)
  if (!parsed.ok || there === null) return closed(cause('policy.window.unreadable', { window: policy.window, zone: name }), null)
  if (clockCause !== null) return closed(cause('policy.window.clock', { window: policy.window, why: causeSentence(clockCause) }), null)
  const { open, untilMs } = windowAt(parsed.windows, there, now.wallMs)
  if (open) return null
  const opens = untilMs === null ? 'not within a week' : rfc3339(untilMs)
  return closed(
    cause('policy.window.closed', { window: policy.window, zone: name, opens }),
    untilMs === null ? null : now.monoMs + untilMs - now.wallMs,
  )
}

// a zone's rules do not change while the agent runs, and reading them is slow
const ZONES = new Map<string, Zone | null>()
function zoneOf(name: string): Zone | null {
  if (ZONES.size > 64) ZONES.clear()
  const known = ZONES.get(name) ?? openZone(name)
  ZONES.set(name, known)
  return known
}

/**
 * The lease as the device counts it: what is left of it by the cloud's own clock when the document was issued. The same lock in
 * a newer document can only be shorter.
 */
export function heldLock(before: HeldLock | null, lock: UpdateLock | undefined, issuedAt: string, nowMonoMs: number): HeldLock | null {
  if (lock === undefined) return null
  const id = JSON.stringify(lock)
  if (before?.id === id && before.issuedAt === issuedAt) return before
  const left = parseStamp(lock.expires) - parseStamp(issuedAt)
  const untilMonoMs = nowMonoMs + (Number.isNaN(left) ? 0 : Math.min(Math.max(left, 0), LIMITS.updateLockMaxMs.value))
  return { id, issuedAt, untilMonoMs: before?.id === id ? Math.min(before.untilMonoMs, untilMonoMs) : untilMonoMs }
}
