/**
 * Keeps the mirror equal to the store and tells the feed.
 *
 * INVARIANTS
 * - The watch starts at the lowest revision of the lists it follows, so no change is lost between list and watch; a change that
 *   a list had already is applied twice, which changes nothing because objects are replaced whole and never by an older one.
 */
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock, Log, Store } from '../ports.ts'
import type { Pod } from '../resources/pod.ts'
import type { DeviceFacts } from './device-row.ts'
import { Feed } from './feed.ts'
import { MIRRORED, Mirror } from './mirror.ts'
import type { Snapshot } from './view-model.ts'

export interface LivePictureParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  facts?(device: string): DeviceFacts
}

export interface LivePicture {
  snapshot(): Snapshot
  hasRoom(): boolean
  /** consoles that follow now */
  clients(): number
  follow(response: ServerResponse, from: number | null): void
  deviceChanged(device: string): void
  pod(key: string): Pod | undefined
  close(): void
}

/** Reads the store once and follows it from there. */
export async function startLivePicture(parts: LivePictureParts): Promise<LivePicture> {
  const first = await load(parts)
  let { mirror, revision } = first
  mirror.take(revision)
  const feed = new Feed(parts.clock, revision, { revision: () => revision, take: () => mirror.take(revision) })
  let stopped = false
  let stop = follow(revision)

  function follow(from: number): () => void {
    return parts.store.watch(null, from, {
      onChange(change) {
        if (change.object.revision <= revision) return
        revision = change.object.revision
        mirror.apply(change)
        feed.changed()
      },
      onExpired() {
        stop()
        restart().catch((error: unknown) => parts.log.error('the console cannot read the store', { why: String(error) }))
      },
    })
  }

  async function restart(): Promise<void> {
    const again = await load(parts)
    if (stopped) return
    mirror = again.mirror
    revision = again.revision
    mirror.take(revision)
    feed.resync(revision)
    stop = follow(revision)
  }

  return {
    snapshot() {
      feed.flush()
      return { revision, tables: mirror.tables() }
    },
    clients: () => feed.clients,
    hasRoom: () => feed.clients < LIMITS.sseClients.value,
    follow: (response, from) => void feed.add(response, from),
    deviceChanged(device) {
      mirror.touchDevice(device)
      feed.changed()
    },
    pod: (key) => mirror.pod(key),
    close() {
      stopped = true
      stop()
      feed.close()
    },
  }
}

async function load({ store, facts }: LivePictureParts): Promise<{ readonly mirror: Mirror; readonly revision: number }> {
  const mirror = new Mirror(facts)
  let lowest = Number.MAX_SAFE_INTEGER
  for (const resource of MIRRORED) {
    const listed = await store.list(resource)
    if (!listed.ok) throw new Error(`listing ${resource} expired`)
    for (const item of listed.items) mirror.put(item)
    lowest = Math.min(lowest, listed.revision)
  }
  return { mirror, revision: lowest }
}
