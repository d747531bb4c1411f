/**
 * Which agent is started: the packaged one (base), or one of two slots that the cloud filled. INVARIANTS: a slot that is
 * filled is neither the current one nor named before its file is whole; the one before stays until the new one has proven
 * itself; after the table's number of starts without that, the one before is current again, and the failed one is not tried
 * a second time; another packaged agent wins over what was there.
 */
import { LIMITS } from '../../protocol/limits.ts'

export type Slot = 'base' | 'a' | 'b'

export interface SlotFile {
  readonly version: string
  readonly sha256: string
}

export interface FailedAgent extends SlotFile {
  readonly why: string
}

export interface Slots {
  readonly current: Slot
  readonly previous: Slot
  readonly a: SlotFile | null
  readonly b: SlotFile | null
  /** starts of the current one that it has not proven itself in; null = it has */
  readonly trial: number | null
  readonly failed: readonly FailedAgent[]
  /** what the packaged agent was when this was written */
  readonly base: string
}

/** What is on the disk now. */
export interface FilesSeen {
  readonly base: string
  /** sha256 of a slot's file; null = it cannot be read */
  sha256Of(slot: 'a' | 'b'): string | null
}

export function firstSlots(base: string): Slots {
  return { current: 'base', previous: 'base', a: null, b: null, trial: null, failed: [], base }
}

/** The one to start, and what must be durable before it is. */
export function chooseStart(slots: Slots, seen: FilesSeen): Slots {
  if (slots.base !== seen.base) return { ...firstSlots(seen.base), failed: slots.failed }
  let next = slots
  // at most twice: from one slot to the other, and from there to the packaged one
  for (let tries = 0; tries < 3; tries += 1) {
    const why = whyNot(next, seen)
    if (why === null) return next.trial === null ? next : { ...next, trial: next.trial + 1 }
    next = returned(next, why)
  }
  return { ...next, current: 'base', previous: 'base', trial: null }
}

function whyNot({ current, trial, ...files }: Slots, seen: FilesSeen): string | null {
  if (current !== 'base' && (files[current] === null || seen.sha256Of(current) !== files[current].sha256)) return 'its file is damaged'
  return trial !== null && trial >= LIMITS.agentStarts.value ? `it did not prove itself in ${LIMITS.agentStarts.value} starts` : null
}

function returned(slots: Slots, why: string): Slots {
  const file = slots.current === 'base' ? null : slots[slots.current]
  const failed = file === null ? slots.failed : [{ ...file, why }, ...slots.failed].slice(0, LIMITS.agentFailedKept.value)
  return { ...slots, current: slots.previous, previous: 'base', trial: null, failed }
}

/** The slot for the next agent: never the current one. */
export function freeSlot({ current }: Slots): 'a' | 'b' {
  return current === 'a' ? 'b' : 'a'
}

/** The file lies in that slot, whole: it is started next. */
export function installed(slots: Slots, slot: 'a' | 'b', file: SlotFile): Slots {
  return { ...slots, [slot]: { version: file.version, sha256: file.sha256 }, current: slot, previous: slots.current, trial: 0 }
}

export function proven(slots: Slots): Slots {
  return { ...slots, trial: null }
}

/** Why that agent is not installed again, or null. */
export function failedBefore({ failed }: Slots, sha256: string): string | null {
  return failed.find((one) => one.sha256 === sha256)?.why ?? null
}
