/** What an engine that was away means for revisions on trial: nothing was learned about them meanwhile. */
import type { Now } from './model.ts'
import type { AgentState } from './state.ts'
import { trialMs } from './update-decide.ts'
import type { PodRecord } from './update-model.ts'

/**
 * The engine answers again after it did not: each trial gets its whole time once more. It is counted as a start, so that a revision
 * which takes the engine down again and again comes to its end all the same.
 */
export function withEngineBack(state: AgentState, now: Now): AgentState {
  const { desired, updates } = state
  if (desired === null || updates === undefined) return state
  const longer = Object.fromEntries(
    desired.pods.flatMap((pod) => {
      const record = updates.records[pod.uid]
      const lasts = record === undefined || record.trial === null ? null : trialMs(record, pod)
      return record === undefined || lasts === null ? [] : [[pod.uid, prolonged(record, now.monoMs + lasts)] as const]
    }),
  )
  if (Object.keys(longer).length === 0) return state
  const timing = { ...state.timing, ledgerDirty: true }
  return { ...state, timing, updates: { ...updates, records: { ...updates.records, ...longer } } }
}

function prolonged(record: PodRecord, untilMonoMs: number): PodRecord {
  const { trial } = record
  return trial === null ? record : { ...record, trial: { untilMonoMs: Math.max(trial.untilMonoMs, untilMonoMs), starts: trial.starts + 1 } }
}
