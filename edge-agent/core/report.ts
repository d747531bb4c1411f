/**
 * State -> status report. Nothing is called running that was not observed so, and every pod of which an owned container
 * exists is listed, wanted or not: what is not listed is gone.
 */
import type { Cause } from '../../protocol/causes.ts'
import { SANDBOX } from '../../protocol/desired-state.ts'
import { LIMITS, clip } from '../../protocol/limits.ts'
import type { ContainerReport, PodReport, StatusReport } from '../../protocol/status-report.ts'
import { clockCause } from './clock-trust.ts'
import { ownInReport, schedulesInReport } from './cron-report.ts'
import { schedulesOf } from './on-cron.ts'
import { matchContainers } from './match.ts'
import type { Match } from './match.ts'
import type { Now, ObservedContainer } from './model.ts'
import type { AgentState } from './state.ts'
import { isFinished } from './verdict.ts'
import { phaseOf, reportOfMatch, reportOfUnwanted } from './report-container.ts'
import { overrideCause, overrideReport } from './overrides.ts'
import { pressureCauses } from './eviction.ts'
import { unreadyCause, withProbes } from './readiness.ts'
import { renderPlan } from './render-plan.ts'
import { rfc3339 } from './wall-time.ts'
import { wantedState } from './wanted-state.ts'

/** The whole truth of this moment, small enough for one message. */
export function buildReport(state: AgentState, now: Now): StatusReport {
  return fitted(wholeReport(state, now))
}

function wholeReport(state: AgentState, now: Now): StatusReport {
  const { desired, engine, hostIp } = state
  return {
    device: state.device,
    sid: state.sid,
    seq: state.report.seq + 1,
    at: rfc3339(now.wallMs),
    agentVersion: state.agentVersion,
    ...(desired === null ? {} : { desired: { epoch: desired.epoch, generation: desired.generation, digest: desired.digest } }),
    converged: isConverged(state),
    pods: podReports(state, now).slice(0, LIMITS.podsPerDevice.value * 2),
    engine: { reachable: engine.reachable, ...(engine.info === null ? {} : { version: engine.info.version.slice(0, 64) }) },
    causes: deviceCauses(state, now).map(shortCause),
    plan: renderPlan(state.plan, now.monoMs)
      .slice(0, LIMITS.statusPlanLines.value)
      .map((line) => clip(line, LIMITS.statusMessageText.value)),
    ...(hostIp === null ? {} : { hostIP: hostIp }),
    ...(state.page === undefined ? {} : { page: state.page }),
    ...(state.overrides.length === 0 ? {} : { overrides: state.overrides.map((one) => overrideReport(one, now.monoMs)) }),
    ...schedulesInReport(state),
    ...ownInReport(state, now),
    ...(state.sessions.length === 0 ? {} : { sessions: state.sessions.slice(0, LIMITS.sessionsPerDevice.value) }),
  }
}

/** True when the durable desired state, freshly observed, leaves nothing to do and nothing to wait for. */
export function isConverged(state: AgentState): boolean {
  const { knowledge, desired, engine, wave, imageWaves, timing, plan, observed } = state
  if (knowledge !== 'known' || desired === null || observed === null || !engine.reachable) return false
  return wave === null && imageWaves.length === 0 && timing.fresh && plan.waves.length === 0 && plan.waitsFor.length === 0
}

function podReports(state: AgentState, now: Now): readonly PodReport[] {
  const { wanted, unwanted } = matchContainers(wantedState(state)?.pods ?? [], state.observed ?? [])
  // a revision that waits says so beside what its pod runs
  const ours = new Set(wanted.map(({ identity }) => identity.name))
  const blocked = new Map<string, Cause>()
  for (const { kind, identity, cause } of state.plan.verdicts)
    if (kind === 'blocked' && cause !== undefined && ours.has(identity.name)) blocked.set(identity.podUid, cause)
  const byPod = new Map<string, Match[]>()
  for (const match of wanted.map(served)) {
    const same = byPod.get(match.pod.uid)
    if (same === undefined) byPod.set(match.pod.uid, [match])
    else same.push(match)
  }
  const leftOver = new Map<string, ObservedContainer[]>()
  for (const found of unwanted) {
    // a wanted pod speaks for its uid; a container that its spec dropped is on the way out
    if (byPod.has(found.podUid)) continue
    const same = leftOver.get(found.podUid)
    if (same === undefined) leftOver.set(found.podUid, [found])
    else same.push(found)
  }
  return [
    ...[...byPod.values()].flatMap((matches) => wantedPod(matches, state, blocked, now)),
    ...[...leftOver.values()].flatMap((found) => unwantedPod(found, state)),
  ]
}

function wantedPod(matches: readonly Match[], state: AgentState, blocked: ReadonlyMap<string, Cause>, now: Now): readonly PodReport[] {
  const [first] = matches
  if (first === undefined) return []
  const { pod } = first
  const reported = (...roles: readonly Match['role'][]): readonly ContainerReport[] =>
    matches
      .filter(({ role }) => roles.includes(role))
      .map((match) => withProbes(reportOfMatch(match, state.ledger[match.key], now, state.pulls?.[match.container.image]), match, state.probes))
  const containers = reported('main')
  const inits = reported('init', 'sidecar').slice(0, LIMITS.containersPerPod.value)
  const current = matches.every(({ role, kept }) => role !== 'main' || kept !== null)
  const shown = matches.flatMap((match) => match.kept ?? match.older[0] ?? match.leaving ?? [])
  const evicted = state.pressure.evicted[pod.uid]
  // ended for good only when nothing of it is left: the cloud makes another one then
  const gone = evicted !== undefined && shown.length === 0
  const why = evicted ?? podCause(matches, state, blocked, now)
  const ip = pod.spec.hostNetwork === true ? state.hostIp : (shown.find((found) => found.ip !== null)?.ip ?? null)
  return [
    {
      uid: pod.uid,
      namespace: pod.namespace,
      name: pod.name,
      // the revision that exists, not the one that is wanted: a rollout must not count what is not there
      specHash: current ? pod.specHash : (shown[0]?.specHash ?? pod.specHash),
      ...(evicted === undefined ? {} : { reason: 'Evicted' }),
      phase:
        state.observed === null
          ? 'Unknown'
          : gone
            ? 'Failed'
            : initFailed(matches)
              ? 'Failed'
              : phaseOf(containers, pod.spec.restartPolicy ?? 'Always'),
      ready: !gone && state.engine.reachable && containers.every((container) => container.ready),
      containers: gone ? [] : containers.slice(0, LIMITS.containersPerPod.value),
      ...(inits.length === 0 || gone ? {} : { initContainers: inits }),
      ...(ip === null ? {} : { podIP: ip }),
      ...(why === null ? {} : { cause: shortCause(why) }),
      ...updateOf(state, pod.uid),
    },
  ]
}

/** What was made ahead does not speak for a container before it has begun. */
function served(match: Match): Match {
  return match.kept?.state === 'created' && match.older.length > 0 ? { ...match, kept: null } : match
}

function updateOf({ updates }: AgentState, uid: string): Pick<PodReport, 'update'> {
  const waits = updates?.pending[uid]
  return waits === undefined ? {} : { update: { reason: waits.reason, wanted: waits.pod.specHash, cause: shortCause(waits.cause) } }
}

/** An init container that is not run again ended the pod. */
function initFailed(matches: readonly Match[]): boolean {
  return matches.some(({ role, kept, pod }) => role === 'init' && kept !== null && kept.exitCode !== 0 && isFinished(pod, kept, role))
}

function unwantedPod(found: readonly ObservedContainer[], state: AgentState): readonly PodReport[] {
  const [first] = found
  if (first === undefined) return []
  const containers = found.filter(({ containerName }) => containerName !== SANDBOX).map(reportOfUnwanted)
  const ip = found.find((one) => one.ip !== null)?.ip
  return [
    {
      uid: first.podUid,
      namespace: first.namespace,
      name: first.podName,
      specHash: first.specHash,
      phase: phaseOf(containers, 'Always'),
      ready: state.engine.reachable && containers.every((container) => container.ready),
      // without a known desired state nothing is on the way out
      ...(state.knowledge === 'known' ? { removing: true } : {}),
      containers: containers.slice(0, LIMITS.containersPerPod.value),
      ...(ip === null || ip === undefined ? {} : { podIP: ip }),
    },
  ]
}

function podCause(matches: readonly Match[], state: AgentState, blocked: ReadonlyMap<string, Cause>, now: Now): Cause | null {
  for (const { key, pod } of matches) {
    const entry = state.ledger[key]
    const waits = entry?.notBeforeMonoMs !== null && entry?.notBeforeMonoMs !== undefined && entry.notBeforeMonoMs > now.monoMs
    const told = entry?.lastCause?.code === 'image.damaged'
    const failing = entry !== undefined && (waits || told || entry.failures > 0) ? entry.lastCause : null
    const why = failing ?? blocked.get(pod.uid)
    if (why === undefined) continue
    return waits ? { ...why, retryInMs: entry.notBeforeMonoMs - now.monoMs } : why
  }
  return state.engine.reachable ? unreadyCause(matches, state.probes) : state.engine.cause
}

function deviceCauses(state: AgentState, now: Now): readonly Cause[] {
  const clock = clockCause(state.clock, now)
  const safe = state.overrides.filter((one) => one.kind === 'safe-mode').map((one) => overrideCause(one))
  const { storage, engine, knowledge, refusals, plan } = state
  const waits = knowledge === 'known' ? [] : plan.waitsFor.filter((why) => why.code.startsWith('desired.'))
  return [
    ...(storage === null ? [] : [storage]),
    ...(engine.cause === null ? [] : [engine.cause]),
    ...(state.release === null ? [] : [state.release]),
    // a clock that nothing has confirmed is only worth a word to what waits for it
    ...(clock === null || (clock.code === 'clock.unproven' && schedulesOf(state).length === 0) ? [] : [clock]),
    ...pressureCauses(state.pressure),
    ...(state.serviceFaults ?? []),
    ...safe,
    ...waits,
    ...refusals,
  ].slice(0, LIMITS.refusalsKept.value)
}

function shortCause(why: Cause): Cause {
  const facts = Object.fromEntries(Object.entries(why.facts).map(([key, value]) => [key, clip(value, LIMITS.statusMessageText.value)]))
  return { ...why, facts }
}

/** Texts may take this part of the message; characters outside ASCII take more than one byte. */
const FULL = 0.75

/** Long names and texts of many failing pods may not fit a broker: explanations are left out, states never. */
function fitted(report: StatusReport): StatusReport {
  if (JSON.stringify(report).length <= LIMITS.statusReportBytes.value * FULL) return report
  const pods = report.pods.map((pod) => ({
    ...pod,
    containers: pod.containers.map(({ message: _, ...container }) => container),
    ...(pod.cause === undefined ? {} : { cause: { code: pod.cause.code } }),
  }))
  return { ...report, pods, plan: ['too long for a report: see the page on the device'] }
}
