/** What people on site decided for a while, as a condition of the Node; said only of devices where it ever happened. */
import { clip } from '../../protocol/limits.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { Condition } from '../resources/object.ts'

/** @param known the Node has told of overrides before */
export function overrideConditions(report: StatusReport | null, known: boolean): readonly Condition[] {
  const overrides = report?.overrides ?? []
  if (report === null || (overrides.length === 0 && !known)) return []
  if (overrides.length === 0) return [{ type: 'LocalOverride', status: 'False', reason: 'NoOverride', message: 'Nothing is decided on site.' }]
  const says = overrides.map(
    ({ kind, pod, owner, reason }) => `${kind}${pod === undefined ? '' : ` of ${pod.namespace}/${pod.name}`} by ${owner}: ${reason}`,
  )
  return [{ type: 'LocalOverride', status: 'True', reason: 'DecidedOnSite', message: clip(says.join('; ')) }]
}
