/** How probing meets the reducer: runs are found in observations, questions leave as effects, answers may ask for a restart. */
import { LIMITS } from '../../protocol/limits.ts'
import { causeSentence } from '../../protocol/causes.ts'
import { keyOfObserved } from './identity.ts'
import { noteProbed } from './ledger.ts'
import { matchContainers } from './match.ts'
import type { Match } from './match.ts'
import type { Now, ObservedContainer } from './model.ts'
import type { AgentEvent, AgentState } from './state.ts'
import { act, withLedger } from './on-observed.ts'
import { podAddress } from './pod-address.ts'
import type { ContainerProbes, Probes } from './probe-model.ts'
import { answered, askDue, firstMet, hasProbes, inFlightCount, runOf } from './probes.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { wantedState } from './wanted-state.ts'

type ProbeResult = Extract<AgentEvent, { kind: 'probe-result' }>

/** The probe table for what was just observed. `before` is what was observed until now; null = nothing in this session. */
export function syncProbes(state: AgentState, before: readonly ObservedContainer[] | null, nowMonoMs: number): Probes {
  const observed = state.observed ?? []
  const ranBefore = before === null ? null : new Set(before.filter(({ state: how }) => how === 'running').map(runOf))
  const next: Record<string, ContainerProbes> = {}
  for (const match of matchContainers(wantedState(state)?.pods ?? [], observed).wanted) {
    // until it is replaced, the revision before is asked on: it is the one that serves
    for (const old of match.older) keepOlder(state.probes, old, next)
    const { kept } = match
    if (kept?.state === 'running' && hasProbes(match.container)) next[match.key] = runProbes(state, match, kept, ranBefore, nowMonoMs)
  }
  return sameEntries(state.probes, next) ? state.probes : next
}

function runProbes(
  state: AgentState,
  match: Match,
  kept: ObservedContainer,
  ranBefore: ReadonlySet<string> | null,
  nowMonoMs: number,
): ContainerProbes {
  const run = runOf(kept)
  const host = podAddress(match.pod, kept, state.observed ?? [])
  const known = state.probes[match.key]
  if (known?.run === run) return known.host === host ? known : { ...known, host }
  const base = { run, target: kept.id, host, container: match.container }
  if (ranBefore !== null && !ranBefore.has(run)) return firstMet(base, { kind: 'fresh' }, nowMonoMs)
  const remembered = state.ledger[match.key]?.probed ?? null
  const same = remembered !== null && remembered.startedAt === kept.startedAt
  return firstMet(base, { kind: 'adopted', key: match.key, started: same, ready: same && remembered.ready }, nowMonoMs)
}

function keepOlder(probes: Probes, old: ObservedContainer, next: Record<string, ContainerProbes>): void {
  const key = keyOfObserved(old)
  const known = probes[key]
  if (known !== undefined && old.state === 'running' && known.run === runOf(old)) next[key] = known
}

/** An answer of a run that is over is late news. A failure that asks for a restart is acted on at once. */
export function onProbeResult(state: AgentState, { key, run, probe, answer }: ProbeResult, now: Now): Turn {
  const before = state.probes[key]
  if (before === undefined || before.run !== run) return quiet(state)
  const after = answered(before, probe, answer, now.monoMs)
  const news = before.ready !== after.ready || before.started !== after.started || before.failing !== after.failing
  const next = {
    ...remember(state, key, after),
    probes: { ...state.probes, [key]: after },
    ...(news || after.unhealthy !== null ? { report: { ...state.report, dirty: true } } : {}),
  }
  if (after.unhealthy === null || before.unhealthy !== null) return quiet(next)
  const fields = { container: key, why: causeSentence(after.unhealthy) }
  return andThen(turn(next, { kind: 'log', level: 'warn', msg: 'a container is restarted', fields }), (told) => act(told, now))
}

/** Sends out the questions that are due. Containers are asked also while the engine does not answer. */
export function startProbes(state: AgentState, now: Now): Turn {
  const { probes, asks } = askDue(state.probes, now.monoMs, LIMITS.probesInFlight.value - inFlightCount(state.probes))
  return probes === state.probes ? quiet(state) : turn({ ...state, probes }, ...asks.map((ask) => ({ kind: 'probe', ask }) as const))
}

/** What must survive this process: that a run has started up, and that it was ready once. */
function remember(state: AgentState, key: string, { started, ready, run }: ContainerProbes): AgentState {
  if (!started) return state
  return withLedger(state, noteProbed(state.ledger, key, { startedAt: run.slice(run.indexOf('@') + 1), ready }))
}

function sameEntries(a: Probes, b: Probes): boolean {
  const keys = Object.keys(b)
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key])
}
