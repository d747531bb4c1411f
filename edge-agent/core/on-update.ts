/**
 * Updates over time: what each pod's revision is decided by, and what follows from a decision. INVARIANTS
 * - Decided anew before each plan, from what is seen then; nothing else moves a device from one revision to another.
 * - A decision that must survive a power cut asks to be written at once, and is acted on when it is.
 */
import { causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'
import { admit } from './admission.ts'
import { clockCause } from './clock-trust.ts'
import { placeOf, planContainer } from './container-plan.ts'
import { pressureAdmits } from './eviction.ts'
import { imagesWanted } from './image-use.ts'
import { linkPace } from './link-pace.ts'
import { ratesOn } from './pull-rate.ts'
import { matchContainers } from './match.ts'
import type { DesiredState, Now, Step } from './model.ts'
import { abortObsolete } from './obsolete.ts'
import { needsSandbox } from './pod-units.ts'
import { hasProbes } from './probes.ts'
import { unreadyCause } from './readiness.ts'
import type { AgentState, Effect } from './state.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { decidedUntil, decidePod } from './update-decide.ts'
import type { DecideFacts } from './update-decide.ts'
import { noteFetched } from './update-fetch.ts'
import { NO_UPDATES } from './update-model.ts'
import type { PendingUpdate, PodRecord, Records, SavedRecord, Updates } from './update-model.ts'
import { carryOver, fromSavedRecords, sameTarget, targetOf, toSavedRecords } from './update-records.ts'

const HOME_ZONE = 'UTC'

/** Decides for every pod. What runs for the revision before is stopped when that changed. */
export function decideUpdates(state: AgentState, now: Now): Turn {
  const { desired, updates = NO_UPDATES } = state
  if (desired === null || state.knowledge !== 'known') return quiet(state)
  const facts = factsOf(state, desired, now)
  const records: Record<string, PodRecord> = {}
  const pending: Record<string, PendingUpdate> = {}
  let nextAtMonoMs: number | null = null
  for (const pod of desired.pods) {
    const decision = decidePod(pod, updates.records[pod.uid], facts)
    records[pod.uid] = decision.record
    if (decision.pending !== null) pending[pod.uid] = decision.pending
    const at = decidedUntil(decision, pod, facts)
    if (at !== null && (nextAtMonoMs === null || at < nextAtMonoMs)) nextAtMonoMs = at
  }
  return taken(state, desired, { records, pending, nextAtMonoMs })
}

function taken(state: AgentState, desired: DesiredState, next: Omit<Updates, 'target' | 'of'>): Turn {
  const { updates = NO_UPDATES } = state
  const made = targetOf(desired, next.records)
  const target = updates.target !== null && sameTarget(updates.target, made) ? updates.target : made
  const moved = target !== updates.target
  const urgent = Object.entries(next.records).some(([uid, one]) => isUrgent(updates.records[uid], one))
  const dirty = urgent || isWorthWriting(updates.records, next.records)
  const timing = dirty ? { ...state.timing, ledgerDirty: true, ...(urgent ? { ledgerSavedAtMonoMs: null } : {}) } : state.timing
  const decided: AgentState = { ...state, timing, updates: { ...next, target, of: desired } }
  const told = turn(decided, ...saidOf(updates, decided.updates ?? NO_UPDATES))
  const kept = keptPods(next.records)
  const sameKept = kept.length === keptPods(updates.records).length && kept.every((pod, index) => pod === keptPods(updates.records)[index])
  const wanting = sameKept ? told : andThen(told, (known) => turn(known, wantImages(known)))
  return moved && updates.target !== null ? andThen(wanting, abortObsolete) : wanting
}

/** Images of revisions that a pod may return to are wanted as much as those that it runs. */
export function wantImages(state: AgentState): Effect {
  const { desired, updates = NO_UPDATES } = state
  const document = desired ?? { device: state.device, epoch: 1, generation: 1, issuedAt: '', digest: '', pods: [] }
  const wanted = imagesWanted({ ...document, pods: [...document.pods, ...keptPods(updates.records)] })
  const limits = ratesOn(linkPace(state).class, document.rates ?? [])
  return { kind: 'want-images', wanted: Object.keys(limits).length === 0 ? wanted : { ...wanted, limits } }
}

/** The next document is durable: its revisions wait where another one runs. */
export function withDocument(state: AgentState, before: DesiredState | null, now: Now): Turn {
  if (state.desired === null) return quiet(state)
  const updates = { ...(state.updates ?? NO_UPDATES), records: carryOver(state.updates?.records ?? {}, before, state.desired) }
  return decideUpdates({ ...state, updates }, now)
}

/** The saved records beside the document that is being saved. */
export function recordsToSave(state: AgentState, next: DesiredState, now: Now): { readonly updates?: Readonly<Record<string, SavedRecord>> } {
  const updates = toSavedRecords(carryOver(state.updates?.records ?? {}, state.desired, next), next, now.monoMs)
  return Object.keys(updates).length === 0 ? {} : { updates }
}

/** @returns the state as it was left; a revision on trial counts this start of the agent, on disk before anything is done */
export function withSavedUpdates(state: AgentState, saved: Readonly<Record<string, SavedRecord>>, now: Now): Turn {
  if (state.desired === null) return quiet(state)
  const records = fromSavedRecords(saved, state.desired, now.monoMs)
  const onTrial = Object.values(records).some(({ trial }) => trial !== null)
  const timing = onTrial ? { ...state.timing, ledgerDirty: true, ledgerSavedAtMonoMs: null } : state.timing
  return decideUpdates({ ...state, timing, updates: { ...NO_UPDATES, records } }, now)
}

export function withFetched(state: AgentState, step: Step): AgentState {
  const records = noteFetched(state.updates?.records ?? {}, step)
  return state.updates === undefined || records === state.updates.records ? state : { ...state, updates: { ...state.updates, records } }
}

function factsOf(state: AgentState, desired: DesiredState, now: Now): DecideFacts {
  const { ledger, overrides, timing, probes } = state
  const observed = state.observed ?? []
  return {
    now,
    overrides,
    ledger,
    clockCause: clockCause(state.clock, now),
    zone: state.local?.zone ?? HOME_ZONE,
    issuedAt: desired.issuedAt,
    durable: !timing.ledgerDirty && !timing.saveInFlight,
    seenAtMonoMs: timing.observedAtMonoMs ?? 0,
    readySince(pod) {
      if (state.observed === null || !state.engine.reachable) return null
      let since = 0
      for (const { role, kept, key, container } of matchContainers([pod], observed).wanted) {
        if (role === 'init') continue
        const running = kept?.state === 'running' ? (ledger[key]?.runningSinceMonoMs ?? null) : null
        if (running === null || (role !== 'sandbox' && hasProbes(container) && probes[key]?.ready !== true)) return null
        since = Math.max(since, running)
      }
      return since
    },
    refusal: (pod) => refusal(state, desired, pod),
    begun: (pod) => matchContainers([pod], observed).wanted.some(({ kept, role }) => kept !== null && role !== 'sandbox'),
    whyNot: (pod) => whyNot(state, pod),
  }
}

/** As the planner asks before it makes a container. */
function refusal(state: AgentState, desired: DesiredState, pod: DesiredPod): Cause | null {
  const refused = admit(pod, state.inventory) ?? pressureAdmits(pod, state.pressure)
  if (refused !== null) return refused
  const { device, hostIp, inventory, local } = state
  const place = placeOf({ device, hostIp, inventory, ...(local === undefined ? {} : { local }) })
  // the address of its pod is known only beside what runs
  const sandbox = (state.observed ?? []).find(({ podUid, ip }) => podUid === pod.uid && ip !== null) ?? null
  if (sandbox === null && needsSandbox(pod)) return null
  for (const match of matchContainers([pod], []).wanted) {
    const made = planContainer({ match, sandbox, hold: null }, desired, place)
    if (!made.ok) return made.cause
  }
  return null
}

function whyNot({ plan, ledger, probes, observed }: AgentState, pod: DesiredPod): string {
  const matches = matchContainers([pod], observed ?? []).wanted
  const names = new Set(matches.map(({ identity }) => identity.name))
  const failed = matches.flatMap(({ key }) => ledger[key]?.lastCause ?? [])
  const blocked = plan.verdicts.flatMap((one) => (one.cause !== undefined && names.has(one.identity.name) ? [one.cause] : []))
  const why = failed[0] ?? blocked[0] ?? unreadyCause(matches, probes)
  return why === null ? 'it was not ready in time' : causeSentence(why)
}

function isUrgent(before: PodRecord | undefined, after: PodRecord): boolean {
  return (
    (after.switching !== null && before?.switching?.hash !== after.switching.hash) ||
    (after.failed !== null && before?.failed?.release !== after.failed.release)
  )
}

/** A decision waits for the disk. */
export function isSwitching({ updates }: AgentState): boolean {
  return Object.values(updates?.records ?? {}).some(({ switching }) => switching !== null)
}

/** Other revisions, not other times. */
function isWorthWriting(before: Records, after: Records): boolean {
  return Object.entries(after).some(([uid, one]) => {
    const old = before[uid]
    if (old === one || old === undefined) return false
    return (
      old.applied !== one.applied ||
      old.healthy !== one.healthy ||
      old.previous !== one.previous ||
      old.kept !== one.kept ||
      (old.trial === null) !== (one.trial === null) ||
      old.failed?.release !== one.failed?.release ||
      old.lock?.id !== one.lock?.id
    )
  })
}

function keptPods(records: Records): readonly DesiredPod[] {
  return Object.values(records).flatMap(({ kept }) => kept.map(({ pod }) => pod))
}

function saidOf(before: Updates, after: Updates): readonly Effect[] {
  return Object.entries(after.records).flatMap(([uid, record]): readonly Effect[] => {
    const old = before.records[uid]
    if (old === undefined || (old.applied === record.applied && old.failed === record.failed)) return []
    const failed = record.failed !== null && old.failed?.release !== record.failed.release ? record.failed : null
    if (failed !== null) return [{ kind: 'log', level: 'warn', msg: 'update rolled back', fields: { pod: uid, why: causeSentence(failed.cause) } }]
    if (old.applied === record.applied) return []
    return [{ kind: 'log', level: 'info', msg: 'update begins', fields: { pod: uid, revision: record.applied.slice(0, 8) } }]
  })
}
