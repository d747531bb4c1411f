/** The tables of rows, with what is counted from them. */
import { CauseGroups } from './cause-groups.ts'
import { FleetTally } from './fleet-tally.ts'
import { KeyIndex } from './key-index.ts'
import { rowKinds } from './row-fields.ts'
import { RowTable } from './row-table.ts'
import type { AuditRow, DeviceRow, EventRow, PodRow, RolloutRow, WorkloadRow } from './view-model.ts'

export interface FleetTables {
  readonly devices: RowTable<DeviceRow>
  readonly workloads: RowTable<WorkloadRow>
  readonly pods: RowTable<PodRow>
  readonly events: RowTable<EventRow>
  readonly rollouts: RowTable<RolloutRow>
  readonly audit: RowTable<AuditRow>
  readonly tally: FleetTally
  readonly causes: CauseGroups
  /** keys of events by what they are about: `Pod shop/web-1` */
  readonly eventsAbout: KeyIndex
}

export function fleetTables(nowMs: () => number): FleetTables {
  const kinds = rowKinds(nowMs)
  const [devices, workloads] = [new RowTable(kinds.devices), new RowTable(kinds.workloads)]
  const [pods, events] = [new RowTable(kinds.pods), new RowTable(kinds.events)]
  const [rollouts, audit] = [new RowTable(kinds.rollouts), new RowTable(kinds.audit)]
  const [tally, causes, eventsAbout] = [new FleetTally(), new CauseGroups(), new KeyIndex()]
  devices.onChange((before, after) => {
    tally.device(before, after)
    causes.device(before, after)
  })
  pods.onChange((before, after) => {
    tally.pod(before, after)
    causes.pod(before, after)
  })
  workloads.onChange((before, after) => tally.workload(before, after))
  events.onChange((before, after) => {
    if (before !== null && after === null) eventsAbout.remove(before.about, before.key)
    if (after !== null) eventsAbout.add(after.about, after.key)
  })
  return { devices, workloads, pods, events, rollouts, audit, tally, causes, eventsAbout }
}
