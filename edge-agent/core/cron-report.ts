/** Schedules and their runs, and the agent's own use, as the cloud sees them. */
import type { ScheduleReport } from '../../protocol/schedule.ts'
import { isSame } from './cron-runs.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { Now } from './model.ts'
import { writtenOf } from './own-use.ts'
import { schedulesOf } from './on-cron.ts'
import type { AgentState } from './state.ts'

/** Only durable runs are told: what may still be forgotten did not happen. */
export function schedulesInReport(state: AgentState): { readonly schedules?: readonly ScheduleReport[] } {
  const { cron } = state
  const schedules = schedulesOf(state)
  if (schedules.length === 0) return {}
  return {
    schedules: schedules.map(({ uid, sinceMs }) => {
      const last = cron.marks[uid]?.lastMs ?? null
      const next = cron.next?.bySchedule[uid]
      const held = cron.held[uid]
      return {
        uid,
        ...(last === null || last <= sinceMs ? {} : { lastMs: last }),
        ...(next === undefined ? {} : { nextMs: next }),
        ...(held === undefined ? {} : { cause: held }),
        runs: cron.runs
          .filter((run) => run.schedule === uid && cron.durable.some((one) => isSame(one, run)))
          .map(({ dueMs, era, attempt, state: how, startedMs, endedMs, reason }) => ({
            dueMs,
            era,
            attempt,
            state: how,
            startedMs: Math.max(0, startedMs),
            ...(endedMs === null ? {} : { endedMs: Math.max(0, endedMs) }),
            ...(reason === null ? {} : { reason }),
          })),
      }
    }),
  }
}

/** Told along with other news; alone it is none. */
export function ownInReport({ own }: AgentState, now: Now): Pick<StatusReport, 'own'> {
  if (own === null) return {}
  const written = writtenOf(own, now.monoMs)
  const wear = written === null ? {} : { writtenBytes: written.bytes, overMs: Math.round(written.overMs) }
  return { own: { rssBytes: own.rssBytes, ...wear } }
}
