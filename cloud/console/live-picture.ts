/**
 * Keeps the mirror equal to the store and tells the open tabs.
 *
 * INVARIANTS
 * - The watch starts at the lowest revision of the lists it follows, so no change is lost between list and watch; a change that
 *   a list had already is applied twice, which changes nothing because objects are replaced whole and never by an older one.
 */
import type { TelemetrySample } from '../../protocol/telemetry.ts'
import type { AuditLog, Clock, Log, Store } from '../ports.ts'
import { auditRow } from './audit-row.ts'
import { decisions, devicePart, workloadPart } from './detail-parts.ts'
import { NO_FACTS } from './device-row.ts'
import type { DeviceFacts } from './device-row.ts'
import { SAMPLE_MS } from './fleet-tally.ts'
import { fleetTables } from './fleet-tables.ts'
import { LiveParts } from './live-parts.ts'
import type { WholeWish } from './live-parts.ts'
import type { Parts } from './live-protocol.ts'
import { LiveTabs } from './live-tabs.ts'
import { MIRRORED, Mirror } from './mirror.ts'
import { rolloutPart } from './rollout-row.ts'

export interface LivePictureParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** what the cloud knows of a device beside its Node: newest report, last contact */
  facts?(device: string): DeviceFacts
  /** what the device used lately, oldest first */
  readings?(device: string): readonly TelemetrySample[]
  /** somebody looks at a device: it is asked for readings for a while */
  lookAt?(device: string): void
  readonly audit?: AuditLog
}

export interface LivePicture {
  readonly mirror: Mirror
  readonly tabs: LiveTabs
  close(): void
}

/** Reads the store once and follows it from there. `onExpired`: the store has moved too far; make another picture. */
export async function startLivePicture(parts: LivePictureParts, onExpired: () => void): Promise<LivePicture> {
  const { store, clock, facts = () => NO_FACTS } = parts
  const tables = fleetTables(() => clock.nowMs())
  const mirror = new Mirror(tables, facts)
  let revision = Number.MAX_SAFE_INTEGER
  for (const resource of MIRRORED) {
    const listed = await store.list(resource)
    if (!listed.ok) throw new Error(`listing ${resource} expired`)
    for (const item of listed.items) mirror.put(item)
    revision = Math.min(revision, listed.revision)
  }
  mirror.take()
  tables.causes.at(clock.nowMs())
  const take = (): void => {
    tables.causes.at(clock.nowMs())
    mirror.take()
  }
  const tabs = new LiveTabs(
    clock,
    new LiveParts(
      tables,
      (wish) => whole(wish, mirror, parts),
      () => clock.monoMs(),
    ),
    take,
  )
  const stop = store.watch(null, revision, {
    onChange(change) {
      if (change.object.revision <= revision) return
      mirror.apply(change)
      tabs.changed()
    },
    onExpired,
  })
  for (const entry of parts.audit?.entries() ?? []) tables.audit.put(auditRow(entry))
  // every act is followed by its change of the store; the tabs are told once
  parts.audit?.onRecord((entry) => {
    tables.audit.put(auditRow(entry))
    tabs.changed()
  })
  let cancelSample = sampleLater()
  function sampleLater(): () => void {
    tables.tally.sample()
    return clock.after(SAMPLE_MS, () => {
      take()
      cancelSample = sampleLater()
    })
  }
  return {
    mirror,
    tabs,
    close() {
      stop()
      cancelSample()
      tabs.close()
    },
  }
}

function whole(wish: WholeWish, mirror: Mirror, { clock, facts = () => NO_FACTS, readings, lookAt }: LivePictureParts): Parts[WholeWish['part']] {
  const { tally, causes, rollouts } = mirror.tables
  switch (wish.part) {
    case 'summary':
      return tally.part(clock.nowMs(), decisions(rollouts.values(), tally.held()).length)
    case 'causes':
      return causes.part(mirror.mutes(clock.nowMs()))
    case 'inbox':
      return { decisions: decisions(rollouts.values(), tally.held()) }
    case 'device':
      lookAt?.(wish.name)
      return devicePart(wish.name, mirror, facts(wish.name), readings?.(wish.name) ?? [])
    case 'workload':
      return workloadPart(wish.key, mirror)
    case 'rollout': {
      const rollout = mirror.rollout(wish.key)
      return rollout === undefined ? null : rolloutPart(rollout)
    }
  }
}
