/**
 * The planner. INVARIANTS
 * - Same arguments, same plan; O(n) in containers.
 * - Without a known desired state nothing is created, stopped or removed.
 * - A plan is empty, or has a lane to run, or names what it waits for.
 * - Only containers that were observed (they carry this device's label) or that are desired are ever named in a step.
 */
import type { LocalSettings } from './pod-model.ts'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { admit } from './admission.ts'
import { unlessBehind } from './behind.ts'
import type { Fence } from './contact-model.ts'
import { cpuLanes, waitsForCpus } from './cpu-lanes.ts'
import type { CpuLanes, CpuTries } from './cpu-lanes.ts'
import type { StartingOwner } from './cpu-starting.ts'
import { SANDBOX } from '../../protocol/desired-state.ts'
import { placeOf, planContainer, preparedVolumes } from './container-plan.ts'
import { pressureAdmits } from './eviction.ts'
import type { Pressure } from './pressure-model.ts'
import { hostPortsOf, identityOfObserved, keyOfObserved } from './identity.ts'
import { matchContainers } from './match.ts'
import type { Match } from './match.ts'
import type { ContainerPlan, DesiredState, Lane, ObservedContainer, Plan, Verdict, Version } from './model.ts'
import type { Ledger, Override } from './saved-model.ts'
import type { AgentState, VolumesSeen } from './state.ts'
import { stagePod } from './pod-stage.ts'
import type { Staged } from './pod-stage.ts'
import { needsSandbox } from './pod-units.ts'
import { volumeItems } from './volume-lanes.ts'
import { orderLanes } from './order.ts'
import type { LaneItem } from './order.ts'
import { fenced, overridden } from './override-verdict.ts'
import type { Probes } from './probe-model.ts'
import { restartAsked } from './probes.ts'
import { removal, stepsFor } from './steps.ts'
import { pendingItems } from './update-fetch.ts'
import { NO_UPDATES } from './update-model.ts'
import type { Updates } from './update-model.ts'
import { judge, judgeExtra, judgeUnwanted, stopAgain } from './verdict.ts'

export interface PlanInput {
  readonly device: string
  readonly knowledge: AgentState['knowledge']
  readonly desired: DesiredState | null
  /** highest document ever taken; absent = no higher one than this */
  readonly floor?: Version | null
  readonly observed: readonly ObservedContainer[]
  readonly ledger: Ledger
  readonly probes: Probes
  readonly pressure?: Pressure
  readonly inventory: Inventory | null
  readonly adopted: readonly string[]
  readonly overrides?: readonly Override[]
  readonly hostIp?: string | null
  readonly local?: LocalSettings
  readonly volumes?: VolumesSeen
  readonly cpuTries?: CpuTries
  readonly starting?: readonly StartingOwner[]
  /** container id -> why it stays, though nothing that is known wants it; see cron-unknown */
  readonly unknownRuns?: Readonly<Record<string, Cause>>
  readonly fence?: Fence
  readonly updates?: Pick<Updates, 'pending' | 'records' | 'nextAtMonoMs'>
}

export const EMPTY_PLAN: Plan = { verdicts: [], waves: [], waitsFor: [], nextAtMonoMs: null }

interface Judged {
  readonly verdicts: readonly Verdict[]
  readonly items: readonly LaneItem[]
}

/** What to do about the difference between desired and observed, given what failed before. */
export function plan(input: PlanInput, nowMonoMs: number): Plan {
  const { desired, knowledge, observed, updates = NO_UPDATES } = input
  if (knowledge !== 'known' || desired === null) return keepEverything(observed, knowledge)
  const evicted = input.pressure?.evicted ?? {}
  // what was given up is not wanted here any more, whatever the document says
  const { wanted, unwanted } = matchContainers(
    desired.pods.filter(({ uid }) => evicted[uid] === undefined),
    observed,
  )
  const adopted = new Set(input.adopted)
  const cpus = cpuLanes({ ...input, evicted: new Set(Object.keys(evicted)) }, input.cpuTries ?? {}, nowMonoMs)
  const all = [
    ...byPod(wanted).flatMap((matches) => stagePod(matches).map((staged) => judgeStaged(staged, { ...input, desired, cpus }, adopted, nowMonoMs))),
    ...unwanted.map((found) => judgeLeftOver(found, leftOverVerdict(found, input, nowMonoMs))),
    ...volumeItems(input, { ...desired, pods: desired.pods.filter(({ uid }) => evicted[uid] === undefined) }, nowMonoMs),
    ...cpus.judged,
    ...pendingItems(updates.pending, updates.records, input.ledger, nowMonoMs),
  ]
  const judged = unlessBehind(all, desired, input.floor ?? null)
  const verdicts = judged.flatMap((one) => one.verdicts)
  const waves = orderLanes(judged.flatMap((one) => one.items))
  return {
    verdicts,
    waves,
    waitsFor: waves.length > 0 ? [] : waitsOf(verdicts),
    nextAtMonoMs: earliest(verdicts, soonerOf(updates.nextAtMonoMs, input.fence?.nextAtMonoMs ?? null)),
  }
}

/** The input, with what was worked out of it once for all containers. */
interface Around extends PlanInput {
  readonly desired: DesiredState
  readonly cpus: CpuLanes
}

function judgeStaged(staged: Staged, input: Around, adopted: ReadonlySet<string>, nowMonoMs: number): Judged {
  const { match, hold } = staged
  const { ledger, inventory, desired } = input
  const place = placeOf(input)
  const admission = (): Cause | null => {
    const refused = admit(match.pod, inventory) ?? (input.pressure === undefined ? null : pressureAdmits(match.pod, input.pressure))
    if (refused !== null) return refused
    const made = planContainer(staged, desired, place)
    return made.ok ? null : made.cause
  }
  const restart = match.kept === null ? null : restartAsked(input.probes[match.key], match.kept)
  const own = hold ?? judge(match, { nowMonoMs, entry: ledger[match.key], adopted, restart, admission })
  const allowed = fenced(overridden(own, match, input.overrides ?? [], nowMonoMs), match, input.fence)
  const patient = stopAgain(allowed, match.key, ledger[match.key], nowMonoMs)
  const verdict = waitsForCpus(match, patient, input.observed, input.cpus)
  const plan = (): ContainerPlan | null => {
    const made = planContainer(staged, desired, place)
    return made.ok ? made.value : null
  }
  const steps = stepsFor(verdict.kind, match, { plan, volumes: preparedVolumes(match.pod, desired, place) }, verdict.graceSeconds)
  // with nothing to keep, older revisions run on until they can be replaced
  const extras = match.kept === null ? [] : [...match.duplicates, ...match.older]
  const extraVerdicts = extras.map((found) => judgeExtra(found, match, ledger[keyOfObserved(found)], nowMonoMs))
  if (steps.length === 0) {
    const items = extras.flatMap((found, index) => itemsOf(found, extraVerdicts[index]))
    return { verdicts: [verdict, ...extraVerdicts], items }
  }
  const lane: Lane = { key: match.key, steps }
  const claims = verdict.kind === 'stop' || (match.role !== 'sandbox' && needsSandbox(match.pod)) ? [] : hostPortsOf(match.pod, match.container)
  return { verdicts: [verdict, ...extraVerdicts], items: [{ lane, kind: laneKind(verdict), claims, frees: null }] }
}

/** Matches of one pod stand together. */
function byPod(matches: readonly Match[]): readonly (readonly Match[])[] {
  const pods = new Map<string, Match[]>()
  for (const match of matches) {
    const same = pods.get(match.pod.uid)
    if (same === undefined) pods.set(match.pod.uid, [match])
    else same.push(match)
  }
  return [...pods.values()]
}

/** A sandbox goes last: the others end with their network. */
function leftOverVerdict(found: ObservedContainer, { observed, ledger, pressure, unknownRuns }: PlanInput, nowMonoMs: number): Verdict {
  const undecided = unknownRuns?.[found.id]
  if (undecided !== undefined)
    return { kind: 'blocked', identity: identityOfObserved(found), reason: 'a run that is not known any more', cause: undecided }
  const judged = judgeUnwanted(found, ledger[keyOfObserved(found)], nowMonoMs)
  const verdict = pressure?.evicted[found.podUid] === undefined ? judged : { ...judged, reason: 'its pod is evicted' }
  if (found.containerName !== SANDBOX || verdict.kind !== 'remove') return verdict
  const other = observed.find(({ podUid, containerName }) => podUid === found.podUid && containerName !== SANDBOX)
  if (other === undefined) return verdict
  const why = cause('container.waits-for-removal', { other: other.name, why: 'it uses the network of the pod' })
  return { kind: 'blocked', identity: verdict.identity, reason: 'goes after the containers of its pod', cause: why }
}

function judgeLeftOver(found: ObservedContainer, verdict: Verdict): Judged {
  return { verdicts: [verdict], items: itemsOf(found, verdict) }
}

function itemsOf(found: ObservedContainer, verdict: Verdict | undefined): readonly LaneItem[] {
  if (verdict?.kind !== 'remove') return []
  const key = keyOfObserved(found)
  const steps = removal(key, found, null)
  return [{ lane: { key, steps }, kind: 'remove', claims: [], frees: steps.length > 1 ? found.name : null }]
}

function laneKind(verdict: Verdict): LaneItem['kind'] {
  const { kind } = verdict
  return kind === 'create' || kind === 'replace' || kind === 'start' || kind === 'stop' ? kind : 'remove'
}

function keepEverything(observed: readonly ObservedContainer[], knowledge: AgentState['knowledge']): Plan {
  const reason = knowledge === 'unknown' ? 'the saved desired state is unreadable' : 'no desired state yet'
  const verdicts = observed.map((found): Verdict => ({ kind: 'keep', identity: identityOfObserved(found), reason }))
  return { verdicts, waves: [], waitsFor: [cause(knowledge === 'unknown' ? 'desired.unknown' : 'desired.none')], nextAtMonoMs: null }
}

function soonerOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

function waitsOf(verdicts: readonly Verdict[]): readonly Cause[] {
  const byText = new Map<string, Cause>()
  for (const { cause: why } of verdicts) if (why !== undefined) byText.set(`${why.code} ${JSON.stringify(why.facts)}`, why)
  return [...byText.values()]
}

function earliest(verdicts: readonly Verdict[], alsoAt: number | null): number | null {
  let first = alsoAt
  for (const { notBeforeMonoMs } of verdicts)
    if (notBeforeMonoMs !== undefined && (first === null || notBeforeMonoMs < first)) first = notBeforeMonoMs
  return first
}
