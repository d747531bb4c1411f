/**
 * Which revision of a pod the device works towards. INVARIANTS
 * - A revision that was healthy here is left only for one whose images are on the device, when nothing holds the update, and
 *   after it is on disk that the new one is on trial.
 * - A trial ends: the revision is healthy, or the device returns to the last healthy one and does not try that release again.
 * - A revision that was never healthy protects nothing: the next one follows at once.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { releaseOf } from './image-use.ts'
import { overrideCause } from './overrides.ts'
import { fetchFailure, isFetched } from './update-fetch.ts'
import { gateOf, heldLock } from './update-gate.ts'
import type { Gate, GateFacts } from './update-gate.ts'
import type { PendingUpdate, PodRecord } from './update-model.ts'
import type { Ledger } from './saved-model.ts'
import { previousOf } from './update-previous.ts'
import { freshRecord, pruned, revisionOf } from './update-records.ts'

export interface DecideFacts extends GateFacts {
  readonly issuedAt: string
  readonly ledger: Ledger
  /** nothing that was decided before waits to be written */
  readonly durable: boolean
  /** monotonic moment of the last look at the engine */
  readonly seenAtMonoMs: number
  /** monotonic moment since which all of this revision runs and is ready; null = it is not */
  readySince(pod: DesiredPod): number | null
  /** why the device cannot take it now, whatever the revision is worth: it is short of something, or what it needs is not there */
  refusal(pod: DesiredPod): Cause | null
  /** something of this revision was made */
  begun(pod: DesiredPod): boolean
  /** why it is not ready, for people */
  whyNot(pod: DesiredPod): string
}

export interface Decision {
  readonly record: PodRecord
  readonly pending: PendingUpdate | null
}

export function decidePod(pod: DesiredPod, before: PodRecord | undefined, facts: DecideFacts): Decision {
  // what runs to its end has no health to return to
  if (!isServing(pod)) return { record: isPlain(before, pod) ? before : freshRecord(pod.specHash), pending: null }
  const known = before !== undefined && revisionOf(before, pod, before.applied) !== null ? before : freshRecord(pod.specHash)
  const locked = withLock(known, pod, facts)
  const judged = withTrial(withHealth(locked, pod, facts), pod, facts)
  const settled = withPin(judged, pod, facts)
  const { record, gate } = settled.applied === pod.specHash ? { record: arrived(settled, pod, facts), gate: null } : next(settled, pod, facts)
  return { record: pruned(record, pod), pending: gate === null ? null : { pod, ...gate } }
}

/** The next moment at which time alone may change the decision. */
export function decidedUntil({ record, pending }: Decision, pod: DesiredPod, { now, readySince }: DecideFacts): number | null {
  const moments: number[] = []
  if (pending !== null && pending.notBeforeMonoMs !== null) moments.push(pending.notBeforeMonoMs)
  const later = now.monoMs + LIMITS.revisionStableMs.value
  // past its deadline a trial goes on only while the revision is ready: it has to stay so
  if (record.trial !== null) moments.push(record.trial.untilMonoMs > now.monoMs ? Math.min(record.trial.untilMonoMs, later) : later)
  const applied = revisionOf(record, pod, record.applied)
  const since = record.applied === record.healthy || applied === null || !isServing(pod) ? null : readySince(applied)
  if (since !== null) moments.push(since + LIMITS.revisionStableMs.value)
  return moments.length === 0 ? null : Math.min(...moments)
}

function isPlain(record: PodRecord | undefined, pod: DesiredPod): record is PodRecord {
  return record !== undefined && record.applied === pod.specHash && record.healthy === null && record.kept.length === 0
}

function isServing(pod: DesiredPod): boolean {
  return (pod.spec.restartPolicy ?? 'Always') === 'Always'
}

function withLock(record: PodRecord, pod: DesiredPod, { issuedAt, now }: DecideFacts): PodRecord {
  const lock = heldLock(record.lock, pod.policy?.lock, issuedAt, now.monoMs)
  return lock === record.lock ? record : { ...record, lock }
}

function withHealth(record: PodRecord, pod: DesiredPod, { readySince, seenAtMonoMs, now }: DecideFacts): PodRecord {
  const { applied, healthy } = record
  const revision = revisionOf(record, pod, applied)
  if (revision === null || (applied === healthy && record.trial === null)) return record
  const since = readySince(revision)
  // what was seen counts, not how long ago: an engine that hangs has not been found out yet, and the container may have ended since
  if (since === null || Math.min(now.monoMs, seenAtMonoMs) - since < LIMITS.revisionStableMs.value) return record
  const previous = healthy === null || healthy === applied ? record.previous : healthy
  const failed = record.failed?.hash === applied ? null : record.failed
  return { ...record, healthy: applied, previous: previous === applied ? null : previous, trial: null, failed }
}

/** Too late, or it took the agent down too often: back to what was healthy. */
function withTrial(record: PodRecord, pod: DesiredPod, facts: DecideFacts): PodRecord {
  const { trial, healthy, applied } = record
  if (trial === null || (facts.now.monoMs < trial.untilMonoMs && trial.starts <= LIMITS.trialStarts.value)) return record
  const revision = revisionOf(record, pod, applied)
  if (healthy === null || healthy === applied || revision === null || revisionOf(record, pod, healthy) === null) return { ...record, trial: null }
  // the device would not take it: nothing was learned about the revision
  if (facts.refusal(revision) !== null && !facts.begun(revision)) return { ...record, applied: healthy, trial: null, switching: null }
  const readyAt = trial.starts > LIMITS.trialStarts.value ? null : facts.readySince(revision)
  if (readyAt !== null && readyAt <= trial.untilMonoMs) return record
  const why =
    facts.now.monoMs < trial.untilMonoMs ? `the agent or the engine was started ${trial.starts} times before it was ready` : facts.whyNot(revision)
  const failed = { hash: applied, release: releaseOf(revision), cause: rolledBack(applied, healthy, why) }
  return { ...record, applied: healthy, trial: null, fetched: null, switching: null, failed }
}

function rolledBack(from: string, to: string, why: string): Cause {
  return cause('update.rolled-back', { revision: from.slice(0, 8), to: to.slice(0, 8), why: why.replace(/\.$/, '') })
}

/** What a person on site asked for is taken at once, and kept until the override ends. */
function withPin(record: PodRecord, pod: DesiredPod, { overrides }: DecideFacts): PodRecord {
  if (!overrides.some((one) => one.kind === 'run-previous' && one.pod?.uid === pod.uid))
    return record.pinned === null ? record : { ...record, pinned: null }
  if (record.pinned !== null) return record
  const pinned = previousOf(record, pod)
  return pinned === null ? record : { ...record, pinned, applied: pinned, trial: null, switching: null }
}

function arrived(record: PodRecord, pod: DesiredPod, facts: DecideFacts): PodRecord {
  const lasts = record.trial === null && record.pinned === null ? trialMs(record, pod) : null
  // it came here without a trial: by a person's word, or by a document that took the other one back
  if (lasts !== null) return arrived({ ...record, trial: { untilMonoMs: facts.now.monoMs + lasts, starts: 0 } }, pod, facts)
  if (record.fetched === null && record.switching === null && (record.failed === null || record.failed.hash !== pod.specHash)) return record
  return { ...record, fetched: null, switching: null, failed: record.failed?.hash === pod.specHash ? null : record.failed }
}

function next(record: PodRecord, pod: DesiredPod, facts: DecideFacts): { readonly record: PodRecord; readonly gate: Gate | null } {
  const waits = (reason: Gate['reason'], why: Cause, notBeforeMonoMs: number | null = null, changed = record) => ({
    record: changed,
    gate: { reason, cause: why, notBeforeMonoMs },
  })
  const { failed, pinned, healthy, switching } = record
  const override = facts.overrides.find((one) => one.kind === 'run-previous' && one.pod?.uid === pod.uid)
  if (pinned !== null && override !== undefined) return waits('Held', overrideCause(override), override.untilMonoMs)
  if (failed !== null && failed.release === releaseOf(pod)) return waits('RolledBack', failed.cause)
  if (switching?.hash === pod.specHash && facts.durable) return { record: switched(record, pod, facts), gate: null }
  if (switching?.hash === pod.specHash) return waits('Updating', cause('update.switching'))
  if (healthy !== null && !isFetched(record, pod)) {
    const failing = fetchFailure(pod, facts.ledger, facts.now.monoMs)
    return waits('Downloading', failing?.cause ?? cause('update.downloading'), failing?.notBeforeMonoMs ?? null)
  }
  const gate = gateOf(pod, record, facts)
  if (gate !== null && (healthy !== null || gate.reason !== 'WindowClosed')) return { record, gate }
  const refused = healthy === null ? null : facts.refusal(pod)
  if (refused !== null) return waits('Updating', refused)
  if (healthy === null) return { record: switched(record, pod, facts), gate: null }
  return waits('Updating', cause('update.switching'), null, {
    ...record,
    switching: { hash: pod.specHash, trialMs: trialMs(record, pod) },
    failed: null,
  })
}

/** How long the wanted revision has to become healthy; null = there is nothing to return to, or it is not wanted */
export function trialMs({ healthy }: PodRecord, pod: DesiredPod): number | null {
  const returns = healthy !== null && healthy !== pod.specHash && pod.policy?.rollback !== false
  return returns ? (pod.policy?.readySeconds ?? LIMITS.readyDeadlineMs.value / 1000) * 1000 : null
}

function switched(record: PodRecord, pod: DesiredPod, { now }: DecideFacts): PodRecord {
  const lasts = trialMs(record, pod)
  const trial = lasts === null ? null : { untilMonoMs: now.monoMs + lasts, starts: 0 }
  return { ...record, applied: pod.specHash, switching: null, fetched: null, failed: null, trial }
}
