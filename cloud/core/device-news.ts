/** What is known of a device itself, and whether that has changed. */
import type { Cause } from '../../protocol/causes.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { sameJson } from '../../protocol/revision.ts'
import type { StatusReport } from '../../protocol/status-report.ts'

export interface DeviceNews {
  readonly device: string
  readonly inventory: Inventory | null
  readonly report: StatusReport | null
  /** why the device counts as silent, or null while it is heard */
  readonly silent: Cause | null
  /** the cloud's own findings about it: a clone, a device ahead of us */
  readonly alarms: readonly Cause[]
}

/** Would `nodeWithNews` say the same of both? What a report says of pods is no news of the device. */
export function isSameNews(a: DeviceNews, b: DeviceNews): boolean {
  if (a.inventory !== b.inventory || a.silent !== b.silent || !sameJson(a.alarms, b.alarms)) return false
  if (a.report === null || b.report === null) return a.report === b.report
  const { report: one } = a
  const { report: other } = b
  return (
    one.hostIP === other.hostIP &&
    one.engine.reachable === other.engine.reachable &&
    sameJson(one.causes, other.causes) &&
    sameJson(one.overrides, other.overrides)
  )
}
