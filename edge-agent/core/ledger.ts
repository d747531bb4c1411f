/**
 * The ledger: attempts and failures per container. INVARIANTS
 * - One exit (the engine's `finishedAt`) is counted once, also across agent restarts.
 * - It never holds more than the table allows and forgets what is neither desired nor there.
 * - Entries that did not change keep their identity, so that "changed" is a cheap question.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { pullDelayMs, restartDelayMs, retryDelayMs } from './backoff.ts'
import { keyOfObserved } from './identity.ts'
import { broughtFurther } from './image-use.ts'
import { isFetchKey } from './update-fetch.ts'
import { isVolumeKey } from './volume-lanes.ts'
import { matchContainers } from './match.ts'
import type { Match } from './match.ts'
import type { DesiredState, ObservedContainer, Outcome, Step } from './model.ts'
import type { Ledger, LedgerEntry, Probed, SavedState } from './saved-model.ts'
import type { Probes } from './probe-model.ts'
import { restartAsked } from './probes.ts'
import { isFinished } from './verdict.ts'

export const NO_ENTRY: LedgerEntry = {
  failures: 0,
  restarts: 0,
  crashes: 0,
  lastCause: null,
  notBeforeMonoMs: null,
  runningSinceMonoMs: null,
  countedExit: null,
  probed: null,
}

/** Counts new exits, notes who runs since when, forgets what is gone. Without a desired state nothing is learned. */
export function noteObserved(
  ledger: Ledger,
  desired: DesiredState | null,
  observed: readonly ObservedContainer[],
  nowMonoMs: number,
  probes: Probes,
): Ledger {
  if (desired === null) return ledger
  const next = new Map<string, LedgerEntry>()
  const { wanted, unwanted } = matchContainers(desired.pods, observed)
  for (const match of wanted) {
    const entry = noteMatch(ledger[match.key] ?? NO_ENTRY, match, nowMonoMs, probes)
    if (entry !== NO_ENTRY) next.set(match.key, entry)
  }
  for (const found of [...unwanted, ...wanted.flatMap((match) => match.older)]) {
    const key = keyOfObserved(found)
    const entry = ledger[key]
    if (entry !== undefined && !next.has(key)) next.set(key, entry)
  }
  for (const [key, entry] of Object.entries(ledger)) if ((isVolumeKey(key) || isFetchKey(key)) && entry.failures > 0) next.set(key, entry)
  // desired containers come first, so what is dropped at the cap is the memory of failed removals
  return Object.fromEntries([...next].slice(0, LIMITS.ledgerEntries.value))
}

/** What one engine step taught. A step that failed only because its wave was aborted must not be noted. */
export function noteStep(ledger: Ledger, step: Step, outcome: Outcome, nowMonoMs: number): Ledger {
  const entry = ledger[step.key]
  if (!outcome.ok) return put(ledger, step.key, failed(entry ?? NO_ENTRY, step.key, outcome.cause, nowMonoMs))
  if (entry === undefined) return ledger
  if (isVolumeKey(step.key) || isFetchKey(step.key)) return without(ledger, step.key)
  if (step.kind === 'start') return put(ledger, step.key, { ...helped(entry), runningSinceMonoMs: null })
  return step.kind === 'remove' ? put(ledger, step.key, helped(entry)) : ledger
}

/** A run has started up, or is ready for the first time. Later changes of readiness are not kept: a probe that flaps must not wear the flash. */
export function noteProbed(ledger: Ledger, key: string, { startedAt, ready }: Probed): Ledger {
  const entry = ledger[key] ?? NO_ENTRY
  const known = entry.probed?.startedAt === startedAt ? entry.probed : null
  if (known !== null && (known.ready || !ready)) return ledger
  return put(ledger, key, { ...entry, probed: { startedAt, ready } })
}

/** For the state file: counts and remaining waits, no absolute times. Entries without a past are left out. */
export function toSaved(ledger: Ledger, nowMonoMs: number): SavedState['ledger'] {
  const saved: Record<string, SavedState['ledger'][string]> = {}
  for (const [key, entry] of Object.entries(ledger)) {
    if (!hasPast(entry)) continue
    const remainingMs = Math.max(0, (entry.notBeforeMonoMs ?? nowMonoMs) - nowMonoMs)
    const { restarts, countedExit, probed } = entry
    saved[key] = { failures: Math.max(entry.failures, entry.crashes), restarts, remainingMs, countedExit, ...(probed === null ? {} : { probed }) }
  }
  return saved
}

/**
 * After a restart of the agent: waits go on where they were, nothing is forgiven. The file holds one count; it is taken for
 * crashes as far as there were restarts, since that is the longer backoff.
 */
export function fromSaved(saved: SavedState['ledger'], nowMonoMs: number): Ledger {
  const entries = Object.entries(saved).slice(0, LIMITS.ledgerEntries.value)
  return Object.fromEntries(
    entries.map(([key, { failures, restarts, remainingMs, countedExit, probed }]): [string, LedgerEntry] => {
      const wait = Math.min(Math.max(remainingMs, 0), LIMITS.restartBackoffMaxMs.value)
      return [
        key,
        {
          ...NO_ENTRY,
          restarts,
          countedExit,
          probed: probed ?? null,
          failures: failures > restarts ? failures : 0,
          crashes: Math.min(failures, restarts),
          notBeforeMonoMs: wait === 0 ? null : nowMonoMs + wait,
        },
      ]
    }),
  )
}

/** True when the file would hold other counts. Waits alone are not worth a write. */
export function isWorthSaving(before: Ledger, after: Ledger): boolean {
  if (before === after) return false
  for (const [key, entry] of Object.entries(after)) {
    const old = before[key] ?? NO_ENTRY
    if (old.failures !== entry.failures || old.crashes !== entry.crashes) return true
    if (old.restarts !== entry.restarts || old.countedExit !== entry.countedExit) return true
    if (entry.probed !== null && (old.probed?.startedAt !== entry.probed.startedAt || old.probed.ready !== entry.probed.ready)) return true
  }
  return Object.entries(before).some(([key, entry]) => hasPast(entry) && !Object.hasOwn(after, key))
}

function noteMatch(entry: LedgerEntry, match: Match, nowMonoMs: number, probes: Probes): LedgerEntry {
  const { kept } = match
  if (kept === null) return entry.runningSinceMonoMs === null ? entry : { ...entry, runningSinceMonoMs: null }
  if (kept.state === 'running') return noteRunning(entry, nowMonoMs)
  const exited = (kept.state === 'exited' || kept.state === 'dead') && kept.finishedAt !== null && kept.startedAt !== null
  if (!exited || kept.finishedAt === entry.countedExit || isFinished(match.pod, kept, match.role)) return entry
  return noteExit(entry, kept, nowMonoMs, restartAsked(probes[match.key], kept)?.cause ?? null)
}

function noteRunning(entry: LedgerEntry, nowMonoMs: number): LedgerEntry {
  if (entry.runningSinceMonoMs === null) return { ...entry, runningSinceMonoMs: nowMonoMs }
  if (!isHealthy(entry, nowMonoMs) || (entry.crashes === 0 && entry.lastCause === null)) return entry
  return { ...entry, crashes: 0, failures: 0, lastCause: null, notBeforeMonoMs: null }
}

function noteExit(entry: LedgerEntry, kept: ObservedContainer, nowMonoMs: number, stoppedFor: Cause | null): LedgerEntry {
  const crashes = (isHealthy(entry, nowMonoMs) ? 0 : entry.crashes) + 1
  const restarts = entry.restarts + 1
  const delay = restartDelayMs(crashes)
  const lastCause = stoppedFor ?? cause('container.crash-loop', { code: kept.exitCode ?? 'unknown', restarts })
  // an engine failure that still waits is not cut short by an exit
  const notBeforeMonoMs = Math.max(entry.notBeforeMonoMs ?? 0, nowMonoMs + delay)
  return { ...entry, crashes, restarts, lastCause, notBeforeMonoMs, runningSinceMonoMs: null, countedExit: kept.finishedAt }
}

function isHealthy(entry: LedgerEntry, nowMonoMs: number): boolean {
  return entry.runningSinceMonoMs !== null && nowMonoMs - entry.runningSinceMonoMs >= LIMITS.restartBackoffResetMs.value
}

function failed(entry: LedgerEntry, key: string, why: Cause, nowMonoMs: number): LedgerEntry {
  const failures = broughtFurther(why) ? 1 : entry.failures + 1
  const delayMs = why.retryInMs ?? (why.code.startsWith('image.pull.') ? pullDelayMs(failures, key) : retryDelayMs(failures, key))
  return { ...entry, failures, lastCause: why, notBeforeMonoMs: nowMonoMs + delayMs }
}

function helped(entry: LedgerEntry): LedgerEntry {
  if (entry.failures === 0) return entry
  // a repair is over within a second: people still hear of it, until the container has run well for a while
  const lastCause = entry.lastCause?.code === 'image.damaged' ? entry.lastCause : null
  return { ...entry, failures: 0, lastCause, notBeforeMonoMs: null }
}

function put(ledger: Ledger, key: string, entry: LedgerEntry): Ledger {
  if (ledger[key] === entry) return ledger
  if (!Object.hasOwn(ledger, key) && Object.keys(ledger).length >= LIMITS.ledgerEntries.value) return ledger
  return { ...ledger, [key]: entry }
}

function without(ledger: Ledger, key: string): Ledger {
  const { [key]: _gone, ...others } = ledger
  return others
}

function hasPast(entry: LedgerEntry): boolean {
  return entry.failures > 0 || entry.restarts > 0 || entry.countedExit !== null || entry.probed !== null
}
