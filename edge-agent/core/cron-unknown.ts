/**
 * Containers of runs that this device began and does not know of any more: the newest state file was damaged, and the one before is older
 * than the run. INVARIANT: such a container is left alone until the clock is believed and the schedules were looked at; by then the run is
 * due once more, has the same pod uid, and finds what it was. Taken away sooner, the work would be done twice.
 */
import type { Cause } from '../../protocol/causes.ts'
import { namesOfRun } from '../../protocol/schedule.ts'
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import type { CronState } from './cron-model.ts'
import type { ObservedContainer } from './model.ts'

const MINUTE_MS = 60_000

/** By container id: why it stays for now. */
export function unknownRuns(
  device: string,
  schedules: readonly DesiredSchedule[],
  cron: CronState,
  observed: readonly ObservedContainer[],
): Readonly<Record<string, Cause>> {
  if (cron.next !== null || schedules.length === 0) return {}
  return Object.fromEntries(
    observed.flatMap((found) => {
      const schedule = schedules.find((one) => one.namespace === found.namespace && isRunOf(device, one, cron, found))
      const why = schedule === undefined ? undefined : cron.held[schedule.uid]
      return why === undefined ? [] : [[found.id, why] as const]
    }),
  )
}

function isRunOf(device: string, schedule: DesiredSchedule, { marks }: CronState, { podName, podUid }: ObservedContainer): boolean {
  if (!podName.startsWith(`${schedule.name}-`)) return false
  const [, minutes, attempt] = /^(\d{1,10})-[0-9a-f]+-(\d{1,5})$/.exec(podName.slice(schedule.name.length + 1)) ?? []
  if (minutes === undefined || attempt === undefined) return false
  const mark = marks[schedule.uid]
  const run = { dueMs: Number(minutes) * MINUTE_MS, era: mark?.era ?? 0, attempt: Number(attempt) }
  return run.dueMs > (mark?.lastMs ?? 0) && namesOfRun(device, schedule, run).podUid === podUid
}
