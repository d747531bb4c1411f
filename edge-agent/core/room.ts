/** Pulls that found no room on the disk, and whether there is room again: they need not wait for their backoff then. */
import type { Ledger, LedgerEntry } from './saved-model.ts'
import type { AgentState } from './state.ts'

export function waitsForRoom({ ledger }: Pick<AgentState, 'ledger'>): boolean {
  return Object.values(ledger).some(isWaiting)
}

/** Much more than the least that was seen: a few log lines that were deleted make no room for an image. */
export function hasMoreRoom(least: number, available: number): boolean {
  return available >= least * 1.25 + 32 * 1024 * 1024
}

/** They are tried at once. */
export function wakeForRoom(ledger: Ledger): Ledger {
  if (!Object.values(ledger).some(isWaiting)) return ledger
  return Object.fromEntries(
    Object.entries(ledger).map(([key, entry]) => [key, isWaiting(entry) ? { ...entry, failures: 0, notBeforeMonoMs: null } : entry]),
  )
}

function isWaiting(entry: LedgerEntry): boolean {
  return entry.notBeforeMonoMs !== null && entry.lastCause?.code === 'image.pull.disk-full'
}
