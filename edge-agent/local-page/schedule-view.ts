/** Schedules that this device keeps, and what the agent itself takes, as the page shows them. */
import { schedulesOf } from '../core/on-cron.ts'
import { writtenOf } from '../core/own-use.ts'
import type { Now } from '../core/model.ts'
import type { AgentState } from '../core/state.ts'
import { causeView } from './cause-view.ts'
import type { FieldView, ScheduleView } from './view-model.ts'

export function scheduleViews(state: AgentState, now: Now): readonly ScheduleView[] {
  const { cron } = state
  return schedulesOf(state).map(({ uid, namespace, name, schedule, timeZone, sinceMs }) => {
    const last = cron.marks[uid]?.lastMs ?? null
    const held = cron.held[uid]
    return {
      name: `${namespace}/${name}`,
      schedule: timeZone === undefined ? schedule : `${schedule} (${timeZone})`,
      lastMs: last === null || last <= sinceMs ? null : last,
      nextMs: cron.next?.bySchedule[uid] ?? null,
      active: cron.durable.filter((run) => run.schedule === uid && run.state === 'active').length,
      cause: held === undefined ? null : causeView(held, now),
    }
  })
}

export function ownView({ own }: AgentState, now: Now): FieldView['own'] {
  if (own === null) return null
  const written = writtenOf(own, now.monoMs)
  return { rssBytes: own.rssBytes, writtenBytes: written?.bytes ?? null, overMs: written?.overMs ?? 0 }
}
