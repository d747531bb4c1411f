/**
 * How much a device may still say today. Current state always goes: without it the cloud is blind. Readings are given up
 * first, then events are sent seldom. Days are 24 hours of monotonic time: a clock that jumps gives nothing away.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { LinkClass } from '../../protocol/link.ts'

/** Bytes by topic since the link was made, as they went over the wire (payload, topic and header). */
export type Traffic = Readonly<Record<string, { readonly up: number; readonly down: number }>>

export interface DataBudget {
  readonly class: LinkClass
  readonly dayBytes: number
  readonly dayBeganMonoMs: number
  /** total of the traffic when the day began */
  readonly spentBefore: number
}

export interface Allowance {
  /** shortest time between two messages of events */
  readonly eventsEveryMs: number
  /** shortest time between two messages of readings; null = none today */
  readonly telemetryEveryMs: number | null
  readonly spent: number
}

const DAY_MS = 86_400_000
const SELDOM_MS = 900_000
/** one message of readings costs less than many */
const OFTEN_MS = 60_000

/** @param dayBytes absent = the table's for a metered link; an unmetered one has no end */
export function newBudget(linkClass: LinkClass, nowMonoMs: number, dayBytes: number = LIMITS.linkDayBytes.value): DataBudget {
  return { class: linkClass, dayBytes, dayBeganMonoMs: nowMonoMs, spentBefore: 0 }
}

/** The budget of the day that this moment is in. */
export function dayOf(budget: DataBudget, traffic: Traffic, nowMonoMs: number): DataBudget {
  const days = Math.floor((nowMonoMs - budget.dayBeganMonoMs) / DAY_MS)
  return days < 1 ? budget : { ...budget, dayBeganMonoMs: budget.dayBeganMonoMs + days * DAY_MS, spentBefore: totalOf(traffic) }
}

export function allowance(budget: DataBudget, traffic: Traffic): Allowance {
  const spent = Math.max(0, totalOf(traffic) - budget.spentBefore)
  if (budget.class === 'unmetered') return { eventsEveryMs: 0, telemetryEveryMs: 0, spent }
  if (spent >= budget.dayBytes) return { eventsEveryMs: SELDOM_MS, telemetryEveryMs: null, spent }
  return { eventsEveryMs: 0, telemetryEveryMs: spent < budget.dayBytes / 2 ? OFTEN_MS : SELDOM_MS, spent }
}

export function totalOf(traffic: Traffic): number {
  return Object.values(traffic).reduce((sum, { up, down }) => sum + up + down, 0)
}
