/**
 * Probes, as the kubelet runs them: a state machine per run of a container. INVARIANTS
 * - A run is container id and start time: results of an earlier run change nothing.
 * - postStart before all; a startup probe before liveness and readiness; each probe has one question in flight.
 * - Nothing is asked faster than its period; intervals are monotonic.
 * - A container without probes is ready when it runs; one with a readiness probe is not ready before it says so. After a
 *   restart of the agent what was ready stays ready until a result says otherwise.
 * - After a liveness, startup or hook failure nothing is asked of that run any more: it is stopped.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { ContainerSpec } from '../../protocol/pod.ts'
import { probeSettings } from '../../protocol/probe.ts'
import type { Probe } from '../../protocol/probe.ts'
import { spread } from '../../protocol/text-hash.ts'
import type { ObservedContainer } from './model.ts'
import { actionOf } from './probe-action.ts'
import type { ContainerProbes, ProbeAnswer, ProbeAsk, ProbeKind, Probes, ProbeState } from './probe-model.ts'

const PROBES = ['startup', 'liveness', 'readiness'] as const

/** True when there is anything to ask of such a container. */
export function hasProbes({ startupProbe, livenessProbe, readinessProbe, lifecycle }: ContainerSpec): boolean {
  return startupProbe !== undefined || livenessProbe !== undefined || readinessProbe !== undefined || lifecycle?.postStart !== undefined
}

/** Id and start time: a container that was started again is another run. */
export function runOf(found: ObservedContainer): string {
  return `${found.id}@${found.startedAt ?? ''}`
}

export interface Restart {
  readonly cause: Cause
  /** the probe's own grace period; null = the pod's */
  readonly graceSeconds: number | null
}

/** Do the probes ask for this run to be stopped? */
export function restartAsked(one: ContainerProbes | undefined, found: ObservedContainer): Restart | null {
  if (one === undefined || one.unhealthy === null || one.run !== runOf(found)) return null
  const { livenessProbe, startupProbe } = one.container
  const probe = one.unhealthy.facts['probe']
  const written = probe === 'liveness' ? livenessProbe : probe === 'startup' ? startupProbe : undefined
  return { cause: one.unhealthy, graceSeconds: written?.terminationGracePeriodSeconds ?? null }
}

/** How a run is met: it began under our eyes, or it ran before (an agent restart), with what is remembered of it. */
export type Met = { readonly kind: 'fresh' } | { readonly kind: 'adopted'; readonly key: string; readonly started: boolean; readonly ready: boolean }

/** A run that is seen for the first time. */
export function firstMet(base: Pick<ContainerProbes, 'run' | 'target' | 'host' | 'container'>, met: Met, nowMonoMs: number): ContainerProbes {
  const { startupProbe, lifecycle } = base.container
  const begun: ContainerProbes = {
    ...base,
    sinceMonoMs: nowMonoMs,
    states: {},
    started: false,
    ready: false,
    unhealthy: null,
    failing: {},
  }
  if (met.kind === 'adopted') {
    // an agent restart must not run a hook again, nor a startup probe that passed
    const started = startupProbe === undefined || met.started
    const jitter = (probe: ProbeKind, periodMs: number): number =>
      Math.round(spread(`${met.key}/${probe}`) * Math.min(periodMs, LIMITS.probeJitterMs.value))
    const known = { ...begun, started, ready: started && (base.container.readinessProbe === undefined || met.ready) }
    return opened(known, (probe, settings) => nowMonoMs + jitter(probe, settings.periodSeconds * 1000))
  }
  if (lifecycle?.postStart !== undefined) return { ...begun, states: { 'post-start': asked(nowMonoMs) } }
  return afterHook(begun, nowMonoMs)
}

/** Questions that are due now, the longest waiting first, as far as `room` goes; with the table that has them in flight. */
export function askDue(probes: Probes, nowMonoMs: number, room: number): { readonly probes: Probes; readonly asks: readonly ProbeAsk[] } {
  const due: { readonly key: string; readonly probe: ProbeKind; readonly at: number }[] = []
  for (const [key, { states }] of Object.entries(probes))
    for (const [probe, state] of entriesOf(states))
      if (!state.inFlight && state.nextAtMonoMs !== null && state.nextAtMonoMs <= nowMonoMs) due.push({ key, probe, at: state.nextAtMonoMs })
  if (due.length === 0) return { probes, asks: [] }
  const next: Record<string, ContainerProbes> = { ...probes }
  const asks: ProbeAsk[] = []
  for (const { key, probe } of due.toSorted((a, b) => a.at - b.at).slice(0, Math.max(0, room))) {
    const one = next[key]
    if (one === undefined) continue
    const ask = askOf(key, probe, one)
    if (typeof ask === 'string') next[key] = answered(one, probe, { verdict: one.host === null ? 'unknown' : 'failure', message: ask }, nowMonoMs)
    else {
      asks.push(ask)
      const nextAtMonoMs = nowMonoMs + periodMs(one.container, probe)
      next[key] = withState(one, probe, { ...stateOf(one, probe), inFlight: true, nextAtMonoMs })
    }
  }
  return { probes: next, asks }
}

/** What an answer means for its run. */
export function answered(one: ContainerProbes, probe: ProbeKind, answer: ProbeAnswer, nowMonoMs: number): ContainerProbes {
  const before = stateOf(one, probe)
  if (one.unhealthy !== null) return withState(one, probe, { ...before, inFlight: false, nextAtMonoMs: null })
  if (probe === 'post-start') return hookEnded(one, answer, nowMonoMs)
  // one that took longer than its period is due at once; one that could not even be asked waits a period
  const nextAtMonoMs = before.inFlight ? Math.max(before.nextAtMonoMs ?? 0, nowMonoMs) : nowMonoMs + periodMs(one.container, probe)
  if (answer.verdict === 'unknown') return withState(one, probe, { ...before, inFlight: false, nextAtMonoMs })
  const failed = answer.verdict === 'failure'
  const inARow = before.last === answer.verdict ? before.inARow + 1 : 1
  const counted = withFailing(withState(one, probe, { inFlight: false, nextAtMonoMs, last: answer.verdict, inARow }), probe, answer, inARow)
  const settings = probeSettings(probeOf(one.container, probe) ?? {})
  if (inARow < (failed ? settings.failureThreshold : settings.successThreshold)) return counted
  if (probe === 'readiness') return { ...counted, ready: !failed }
  if (failed) return unhealthy(counted, cause('container.unhealthy', { container: one.container.name, probe, why: answer.message }))
  return probe === 'startup' ? startedUp(counted, nowMonoMs) : counted
}

/** The earliest moment at which something is due, or null. */
export function nextProbeAt(probes: Probes): number | null {
  let first: number | null = null
  for (const { states } of Object.values(probes))
    for (const [, { inFlight, nextAtMonoMs }] of entriesOf(states))
      if (!inFlight && nextAtMonoMs !== null && (first === null || nextAtMonoMs < first)) first = nextAtMonoMs
  return first
}

export function inFlightCount(probes: Probes): number {
  return Object.values(probes).reduce((sum, { states }) => sum + entriesOf(states).filter(([, state]) => state.inFlight).length, 0)
}

function hookEnded(one: ContainerProbes, answer: ProbeAnswer, nowMonoMs: number): ContainerProbes {
  const done = withState(one, 'post-start', { ...stateOf(one, 'post-start'), inFlight: false, nextAtMonoMs: null, last: 'success' })
  if (answer.verdict === 'success') return afterHook(done, nowMonoMs)
  return unhealthy(done, cause('container.hook.failed', { container: one.container.name, hook: 'postStart', why: answer.message }))
}

function afterHook(one: ContainerProbes, nowMonoMs: number): ContainerProbes {
  const open = { ...one, started: one.container.startupProbe === undefined, ready: false }
  const ready = open.started && open.container.readinessProbe === undefined
  return opened({ ...open, ready }, (_, settings) => one.sinceMonoMs + settings.initialDelaySeconds * 1000, nowMonoMs)
}

function startedUp(one: ContainerProbes, nowMonoMs: number): ContainerProbes {
  const done = withState(one, 'startup', { ...stateOf(one, 'startup'), nextAtMonoMs: null })
  const started = { ...done, started: true, ready: done.container.readinessProbe === undefined }
  return opened(started, (_, settings) => one.sinceMonoMs + settings.initialDelaySeconds * 1000, nowMonoMs)
}

/** Lets the probes begin whose turn it is: startup first and alone, then the two others. */
function opened(
  one: ContainerProbes,
  firstAt: (probe: ProbeKind, settings: ReturnType<typeof probeSettings>) => number,
  notBeforeMonoMs = 0,
): ContainerProbes {
  return PROBES.filter((probe) => (probe === 'startup') !== one.started).reduce((next, probe) => {
    const written = probeOf(one.container, probe)
    if (written === undefined) return next
    return withState(next, probe, asked(Math.max(notBeforeMonoMs, firstAt(probe, probeSettings(written)))))
  }, one)
}

function unhealthy(one: ContainerProbes, why: Cause): ContainerProbes {
  const states = Object.fromEntries(entriesOf(one.states).map(([probe, state]) => [probe, { ...state, nextAtMonoMs: null }]))
  return { ...one, states, ready: false, unhealthy: why }
}

function askOf(key: string, probe: ProbeKind, one: ContainerProbes): ProbeAsk | string {
  const { container, target, host, run } = one
  const handler = probe === 'post-start' ? container.lifecycle?.postStart : probeOf(container, probe)
  const action = actionOf(handler ?? {}, container.ports ?? [], target, host)
  if (typeof action === 'string') return action
  const seconds = probe === 'post-start' ? null : probeSettings(probeOf(container, probe) ?? {}).timeoutSeconds
  const timeoutMs = seconds === null ? LIMITS.hookMs.value : Math.min(seconds * 1000, LIMITS.probeMs.value)
  return { key, run, probe, action, timeoutMs }
}

function probeOf(container: ContainerSpec, probe: ProbeKind): Probe | undefined {
  switch (probe) {
    case 'startup':
      return container.startupProbe
    case 'liveness':
      return container.livenessProbe
    case 'readiness':
      return container.readinessProbe
    case 'post-start':
      return undefined
  }
}

function periodMs(container: ContainerSpec, probe: ProbeKind): number {
  return probeSettings(probeOf(container, probe) ?? {}).periodSeconds * 1000
}

function asked(atMonoMs: number): ProbeState {
  return { inFlight: false, nextAtMonoMs: atMonoMs, last: null, inARow: 0 }
}

function stateOf(one: ContainerProbes, probe: ProbeKind): ProbeState {
  return one.states[probe] ?? { inFlight: false, nextAtMonoMs: null, last: null, inARow: 0 }
}

function withState(one: ContainerProbes, probe: ProbeKind, state: ProbeState): ContainerProbes {
  return { ...one, states: { ...one.states, [probe]: state } }
}

function withFailing(one: ContainerProbes, probe: ProbeKind, { verdict, message }: ProbeAnswer, inARow: number): ContainerProbes {
  const { [probe]: known, ...others } = one.failing
  if (verdict !== 'failure') return known === undefined ? one : { ...one, failing: others }
  // told anew at the 2nd, 4th, 8th… of a row: texts that differ each time would be sent up each time
  if (known !== undefined && (known.facts['why'] === message || (inARow & (inARow - 1)) !== 0)) return one
  return { ...one, failing: { ...others, [probe]: cause('container.unhealthy', { container: one.container.name, probe, why: message }) } }
}

function entriesOf(states: ContainerProbes['states']): readonly (readonly [ProbeKind, ProbeState])[] {
  return Object.entries(states) as readonly (readonly [ProbeKind, ProbeState])[]
}
