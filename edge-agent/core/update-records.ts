/**
 * What is remembered of each pod's revisions, from document to document and over restarts. INVARIANTS: a revision that a record
 * names is in the document or kept whole; what no record names is forgotten.
 */
import { compareVersions } from '../../protocol/accept.ts'
import { cause, isCauseCode } from '../../protocol/causes.ts'
import type { DesiredConfig, DesiredPod, DesiredState } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { PodRecord, Records, SavedRecord } from './update-model.ts'

export function freshRecord(applied: string): PodRecord {
  const none = { healthy: null, previous: null, switching: null, trial: null, failed: null, fetched: null, lock: null, pinned: null }
  return { applied, kept: [], ...none }
}

/** A revision as a whole; null = it is not known any more. */
export function revisionOf(record: PodRecord, wanted: DesiredPod, hash: string): DesiredPod | null {
  return wanted.specHash === hash ? wanted : (record.kept.find(({ pod }) => pod.specHash === hash)?.pod ?? null)
}

/** The records under the next document: what it no longer holds is kept, and pods that are gone are forgotten. */
export function carryOver(records: Records, before: DesiredState | null, after: DesiredState): Records {
  const old = new Map((before?.pods ?? []).map((pod) => [pod.uid, pod]))
  const entries = after.pods.flatMap((pod): readonly (readonly [string, PodRecord])[] => {
    const record = records[pod.uid]
    if (record === undefined) return []
    const last = old.get(pod.uid)
    const known = record.kept.some((one) => one.pod.specHash === last?.specHash)
    const kept = last === undefined || known ? record.kept : [...record.kept, { pod: last, configs: configsUsed(last, before?.configs ?? []) }]
    return [[pod.uid, pruned({ ...record, kept }, pod)]]
  })
  return Object.fromEntries(entries)
}

/** Without revisions that nothing names, or that the document holds. */
export function pruned(record: PodRecord, wanted: DesiredPod): PodRecord {
  const { applied, healthy, previous, pinned } = record
  const named = new Set([applied, healthy, previous, pinned])
  const kept = record.kept.filter(({ pod }) => pod.specHash !== wanted.specHash && named.has(pod.specHash))
  return kept.length === record.kept.length ? record : { ...record, kept }
}

/** The document with the revisions that the device works towards; the very same one when these are all its own. */
export function targetOf(desired: DesiredState, records: Records): DesiredState {
  const extra: DesiredConfig[] = []
  let same = true
  const pods = desired.pods.map((pod) => {
    const record = records[pod.uid]
    if (record === undefined || record.applied === pod.specHash) return pod
    const kept = record.kept.find((one) => one.pod.specHash === record.applied)
    if (kept === undefined) return pod
    same = false
    extra.push(...kept.configs)
    return kept.pod
  })
  return same ? desired : { ...desired, pods, ...(extra.length === 0 ? {} : { configs: withOlder(desired.configs ?? [], extra) }) }
}

/** The same number, pods and values: what was made from the one holds for the other. */
export function sameTarget(a: DesiredState, b: DesiredState): boolean {
  if (a === b) return true
  // also the number: a device that lost a newer document waits for one that is as new, though it may say the same
  if (compareVersions(a, b) !== 0) return false
  if (a.digest !== b.digest || a.configs?.length !== b.configs?.length || a.schedules !== b.schedules || a.pods.length !== b.pods.length) return false
  return a.pods.every((pod, index) => pod === b.pods[index])
}

/** Records that say no more than the document does are left out. */
export function toSavedRecords(records: Records, desired: DesiredState, nowMonoMs: number): Readonly<Record<string, SavedRecord>> {
  const entries = desired.pods.flatMap((pod): readonly (readonly [string, SavedRecord])[] => {
    const record = records[pod.uid]
    if (record === undefined) return []
    const saved = toSaved(record, nowMonoMs)
    return Object.keys(saved).length === 1 && saved.applied === pod.specHash ? [] : [[pod.uid, saved]]
  })
  return Object.fromEntries(entries)
}

function toSaved({ applied, switching, healthy, previous, kept, trial, failed, lock }: PodRecord, nowMonoMs: number): SavedRecord {
  const left = (untilMonoMs: number): number => Math.max(0, Math.round(untilMonoMs - nowMonoMs))
  return {
    applied: switching?.hash ?? applied,
    ...(healthy === null ? {} : { healthy }),
    ...(previous === null ? {} : { previous }),
    ...(kept.length === 0 ? {} : { kept }),
    ...savedTrial(switching, trial, left),
    ...(failed === null ? {} : { failed: { ...failed, cause: { code: failed.cause.code, facts: failed.cause.facts } } }),
    ...(lock === null ? {} : { lock: { id: lock.id, issuedAt: lock.issuedAt, remainingMs: left(lock.untilMonoMs) } }),
  }
}

/** A switch is on disk before it is made, and with it that the revision is on trial. */
function savedTrial(switching: PodRecord['switching'], trial: PodRecord['trial'], left: (untilMonoMs: number) => number): Pick<SavedRecord, 'trial'> {
  if (switching !== null) return switching.trialMs === null ? {} : { trial: { remainingMs: switching.trialMs, starts: 0 } }
  return trial === null ? {} : { trial: { remainingMs: left(trial.untilMonoMs), starts: trial.starts } }
}

/** After a restart of the agent: what was left of each time goes on. Pods without a record run what their document says. */
export function fromSavedRecords(saved: Readonly<Record<string, SavedRecord>>, desired: DesiredState, nowMonoMs: number): Records {
  const until = (remainingMs: number, max: number): number => nowMonoMs + Math.min(Math.max(remainingMs, 0), max)
  const entries = desired.pods.map((pod): readonly [string, PodRecord] => {
    const one = Object.hasOwn(saved, pod.uid) ? saved[pod.uid] : undefined
    if (one === undefined) return [pod.uid, freshRecord(pod.specHash)]
    const { healthy = null, previous = null, kept = [], trial, failed, lock } = one
    const why = failed?.cause.code ?? ''
    const record: PodRecord = {
      ...freshRecord(one.applied),
      healthy,
      previous,
      kept,
      trial: trial === undefined ? null : { untilMonoMs: until(trial.remainingMs, LIMITS.readyDeadlineMaxMs.value), starts: trial.starts + 1 },
      failed: failed === undefined ? null : { ...failed, cause: cause(isCauseCode(why) ? why : 'update.rolled-back', failed.cause.facts ?? {}) },
      lock: lock === undefined ? null : { id: lock.id, issuedAt: lock.issuedAt, untilMonoMs: until(lock.remainingMs, LIMITS.updateLockMaxMs.value) },
    }
    return [pod.uid, pruned(record, pod)]
  })
  return Object.fromEntries(entries)
}

/** What a pod takes values from, by name: a record must not lean on the next document for it. */
function configsUsed(pod: DesiredPod, configs: readonly DesiredConfig[]): readonly DesiredConfig[] {
  const text = JSON.stringify(pod.spec)
  return configs.filter(({ namespace, name }) => namespace === pod.namespace && text.includes(JSON.stringify(name)))
}

/** Newer values win; keys that only the older revision uses are added. */
function withOlder(configs: readonly DesiredConfig[], older: readonly DesiredConfig[]): readonly DesiredConfig[] {
  const byKey = new Map(older.map((one) => [keyOf(one), one]))
  for (const one of configs) {
    const old = byKey.get(keyOf(one))
    byKey.set(keyOf(one), { ...old, ...one, ...joined('data', old, one), ...joined('binaryData', old, one) })
  }
  return [...byKey.values()]
}

function joined(field: 'data' | 'binaryData', old: DesiredConfig | undefined, next: DesiredConfig): Partial<DesiredConfig> {
  return old?.[field] === undefined && next[field] === undefined ? {} : { [field]: { ...old?.[field], ...next[field] } }
}

function keyOf({ kind, namespace, name }: DesiredConfig): string {
  return `${kind} ${namespace}/${name}`
}
