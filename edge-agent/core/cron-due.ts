/**
 * Which runs are due by a clock that is believed. INVARIANTS: a schedule's mark only moves on, so no due time is decided
 * twice; of times that were missed only the newest is made up for, and only within its deadline; a mark that lies more than
 * a day and an hour ahead was made by a wrong clock and begins a new era.
 */
import { openZone } from '../../protocol/calendar.ts'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { lastRun, nextRun, parseCron } from '../../protocol/cron.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import type { CronState, Mark, Run } from './cron-model.ts'
import type { Now } from './model.ts'
import { rfc3339 } from './wall-time.ts'

export interface Due {
  readonly cron: CronState
  readonly began: readonly Run[]
}

/** Begins what is due; `now.wallMs` must be one to be believed. */
export function beginDue(schedules: readonly DesiredSchedule[], cron: CronState, now: Now, jump: unknown): Due {
  let { marks, runs } = cron
  const began: Run[] = []
  const held: Record<string, Cause> = {}
  const bySchedule: Record<string, number> = {}
  for (const schedule of schedules) {
    const one = judge(schedule, marks[schedule.uid], runs, cron.zone, now)
    if (one.held !== null) held[schedule.uid] = one.held
    if (one.nextMs !== null) bySchedule[schedule.uid] = one.nextMs
    if (one.mark !== marks[schedule.uid] && one.mark !== undefined) marks = { ...marks, [schedule.uid]: one.mark }
    if (one.run === null) continue
    began.push(one.run)
    const replaced = schedule.concurrency === 'Replace'
    runs = [...runs.filter((run) => !(replaced && run.schedule === schedule.uid && run.state === 'active')), one.run]
  }
  const atMs = Math.min(Infinity, ...Object.values(bySchedule))
  return { cron: { ...cron, marks: bounded(marks, schedules), runs, held, next: { atMs, bySchedule, of: { schedules, runs, jump } } }, began }
}

interface Judged {
  readonly run: Run | null
  readonly mark: Mark | undefined
  readonly held: Cause | null
  readonly nextMs: number | null
}

function judge(schedule: DesiredSchedule, before: Mark | undefined, runs: readonly Run[], ownZone: string, now: Now): Judged {
  const parsed = parseCron(schedule.schedule)
  const name = schedule.timeZone ?? ownZone
  const zone = openZone(name)
  if (!parsed.ok || zone === null) {
    const why = parsed.ok ? 'the time zone is not known on this device' : parsed.why
    return { run: null, mark: before, held: cause('schedule.never', { schedule: schedule.schedule, zone: name, why }), nextMs: null }
  }
  if (schedule.suspend === true) return { run: null, mark: before, held: null, nextMs: null }
  const mark = settledMark(before, schedule.sinceMs, now.wallMs)
  const nextMs = nextRun(parsed.schedule, zone, now.wallMs)
  const due = lastRun(parsed.schedule, zone, dueSinceMs(schedule, mark, now.wallMs), now.wallMs)
  if (due === null) return { run: null, mark, held: null, nextMs }
  const active = runs.filter((run) => run.schedule === schedule.uid && run.state === 'active').length
  const policy =
    schedule.concurrency === 'Forbid' && active > 0
      ? 'its concurrencyPolicy is Forbid'
      : active >= LIMITS.scheduleRunsActive.value && schedule.concurrency !== 'Replace'
        ? `more than ${LIMITS.scheduleRunsActive.value} at a time are not begun`
        : null
  if (policy !== null) return { run: null, mark, held: cause('schedule.held.concurrency', { due: rfc3339(due), active, policy }), nextMs }
  return { run: newRun(schedule.uid, due, mark.era, now), mark: { ...mark, lastMs: due }, held: null, nextMs }
}

function settledMark(mark: Mark | undefined, sinceMs: number, wallMs: number): Mark {
  // a schedule made by a cloud whose clock is ahead is not late, only new
  if (mark === undefined) return { lastMs: Math.min(sinceMs, wallMs), era: 0 }
  if (mark.lastMs <= wallMs + LIMITS.scheduleBackMs.value) return mark
  return { lastMs: wallMs, era: mark.era + 1 }
}

/** The moment after which due times still count. */
function dueSinceMs({ startingDeadlineSeconds }: DesiredSchedule, mark: Mark, wallMs: number): number {
  if (startingDeadlineSeconds === undefined) return mark.lastMs
  return Math.max(mark.lastMs, wallMs - Math.max(startingDeadlineSeconds * 1000, LIMITS.scheduleGraceMs.value) - 1)
}

function newRun(schedule: string, dueMs: number, era: number, now: Now): Run {
  return {
    schedule,
    dueMs,
    era,
    attempt: 0,
    state: 'active',
    startedMs: now.wallMs,
    endedMs: null,
    reason: null,
    pod: null,
    activeSinceMonoMs: now.monoMs,
    retryAtMonoMs: null,
  }
}

/** Marks of schedules that left stay for a while: they may come back, and nothing may run twice then. */
function bounded(marks: CronState['marks'], schedules: readonly DesiredSchedule[]): CronState['marks'] {
  const all = Object.entries(marks)
  if (all.length <= LIMITS.scheduleMarks.value) return marks
  const wanted = new Set(schedules.map(({ uid }) => uid))
  const order = all.toSorted(([a, x], [b, y]) => Number(wanted.has(b)) - Number(wanted.has(a)) || y.lastMs - x.lastMs)
  return Object.fromEntries(order.slice(0, LIMITS.scheduleMarks.value))
}
