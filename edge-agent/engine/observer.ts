/**
 * Observation: one list call, and an inspect only of containers that may have changed since they were inspected last.
 * INVARIANTS: a cached detail is used only while the event stream is connected and has not named its container; a container
 * that changes while it is inspected is inspected again, because its event removes the entry before or after.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { ObservedContainer } from '../core/model.ts'
import { readInspect, readList, toObserved } from './from-docker.ts'
import type { ContainerDetail, ListedContainer } from './from-docker.ts'

/** The two reads it needs. `inspect` answers null for a container that is gone. */
export interface ObserverReads {
  list(): Promise<unknown>
  inspect(id: string): Promise<unknown>
}

export interface Observer {
  observe(): Promise<readonly ObservedContainer[]>
  /** that container may differ from what was inspected; null = all of them */
  changed(id: string | null): void
}

export function createObserver(reads: ObserverReads, eventsConnected: () => boolean): Observer {
  const details = new Map<string, ContainerDetail>()
  /** counts events, so that an answer that is older than an event is not kept */
  let changes = 0

  const detailOf = async (listed: ListedContainer): Promise<ContainerDetail | null> => {
    const known = details.get(listed.id)
    if (known !== undefined && known.state === listed.state && eventsConnected()) return known
    const before = changes
    const detail = readInspect(await reads.inspect(listed.id))
    if (detail !== null && before === changes) details.set(listed.id, detail)
    return detail
  }

  return {
    changed: (id) => {
      changes += 1
      if (id === null) details.clear()
      else details.delete(id)
    },
    observe: async () => {
      const listed = readList(await reads.list())
      const present = new Set(listed.map((item) => item.id))
      for (const id of details.keys()) if (!present.has(id)) details.delete(id)
      const found = await mapBounded(listed, LIMITS.laneConcurrency.value, async (item) => {
        const detail = await detailOf(item)
        return detail === null ? null : toObserved(item, detail)
      })
      return found.filter((item) => item !== null)
    },
  }
}

async function mapBounded<T, R>(items: readonly T[], limit: number, run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index]
      if (item !== undefined) results[index] = await run(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
