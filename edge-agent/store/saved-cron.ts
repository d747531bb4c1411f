/** The form of what is saved of schedules; see core/cron-model. */
import type { SavedCron } from '../core/cron-model.ts'
import { DESIRED_POD } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { int, list, map, num, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'

const MARK = obj({ lastMs: required(num()), era: required(int()) })
const RUN = obj({
  schedule: required(str({ max: 64 })),
  dueMs: required(num()),
  era: required(int()),
  attempt: required(int()),
  state: required(oneOf('active', 'complete', 'failed')),
  startedMs: required(num()),
  endedMs: num(),
  reason: oneOf('DeadlineExceeded', 'BackoffLimitExceeded'),
  pod: DESIRED_POD,
})

export const SAVED_CRON = obj({
  marks: required(map(MARK, { max: LIMITS.scheduleMarks.value })),
  runs: required(list(RUN, { max: LIMITS.scheduleRuns.value })),
})

export function readCron({ marks, runs }: Infer<typeof SAVED_CRON>): SavedCron {
  return {
    marks,
    runs: runs.map((run) => ({ ...run, endedMs: run.endedMs ?? null, reason: run.reason ?? null, pod: run.pod ?? null })),
  }
}
