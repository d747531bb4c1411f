/**
 * Writes Event objects, counted when they happen again. INVARIANTS: recording never blocks or fails its caller; what waits
 * to be written is bounded; events older than the limits table allows are removed by one timer.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { eventName, nextEvent } from '../core/events.ts'
import type { Happening } from '../core/events.ts'
import { byAge } from '../core/meta.ts'
import { stampOr } from '../core/pod-state.ts'
import type { Clock, Log, Random } from '../ports.ts'
import type { Event } from '../resources/event.ts'
import type { Cluster } from './cluster.ts'
import { createWorkQueue } from './work-queue.ts'

export interface EventRecorder {
  record(happening: Happening): void
  stop(): Promise<void>
}

export function createEventRecorder(deps: {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}): EventRecorder {
  const { cluster, clock } = deps
  const pending = new Map<string, Happening>()
  const queue = createWorkQueue({ ...deps, name: 'events', workers: 2, work: (key) => write(cluster, pending, key) })
  const sweeper = createWorkQueue({ ...deps, name: 'event-sweep', workers: 1, work: () => sweep(cluster, clock.nowMs()) })
  cluster.events.onChange((next, previous) => {
    if (next !== null && previous === null) sweeper.addAfter('sweep', LIMITS.eventSweepMs.value)
  })
  return {
    record(happening) {
      if (pending.size >= LIMITS.eventsPending.value || cluster.isClosing(happening.about.metadata.namespace ?? '')) return
      const key = `${happening.about.metadata.namespace ?? 'default'}/${eventName(happening)}`
      pending.set(key, happening)
      queue.add(key)
    },
    async stop() {
      await Promise.all([queue.stop(), sweeper.stop()])
    },
  }
}

async function write(cluster: Cluster, pending: Map<string, Happening>, key: string): Promise<null> {
  const happening = pending.get(key)
  pending.delete(key)
  if (happening === undefined) return null
  const nowIso = cluster.nowIso()
  const again = await cluster.change(cluster.events, key, (before) => nextEvent(before, happening, nowIso))
  if (again === null) await cluster.create(cluster.events, nextEvent(null, happening, nowIso))
  return null
}

async function sweep(cluster: Cluster, nowMs: number): Promise<number | null> {
  const all = [...cluster.events.values()].sort(byAge)
  const lastMs = (event: Event): number => stampOr(event.lastTimestamp ?? event.metadata.creationTimestamp, nowMs)
  const surplus = Math.max(0, all.length - LIMITS.eventsKept.value)
  const old = all.filter((event, index) => index < surplus || nowMs - lastMs(event) > LIMITS.eventTtlMs.value)
  for (const event of old) await cluster.erase(cluster.events, event)
  return all.length > old.length ? LIMITS.eventSweepMs.value : null
}
