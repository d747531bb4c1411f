/** Which revision a person gets who asks for the one before. */
import type { DesiredPod } from '../../protocol/desired-state.ts'
import type { PodRecord } from './update-model.ts'
import { revisionOf } from './update-records.ts'

/** The release before the wanted one, as far as it is kept; null = there is none. */
export function previousOf(record: PodRecord, pod: DesiredPod): string | null {
  return [record.healthy, record.previous].find((hash) => hash !== null && hash !== pod.specHash && revisionOf(record, pod, hash) !== null) ?? null
}
