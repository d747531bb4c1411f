/** Workloads as a person sees them: what the device should run, what runs, and why not more. */
import { cause } from '../../protocol/causes.ts'
import type { DesiredPod, Now, ObservedContainer, Verdict } from '../core/model.ts'
import type { AgentState } from '../core/state.ts'
import { progressText } from '../core/image-progress.ts'
import { wantedState } from '../core/wanted-state.ts'
import { restartsAfterExit } from '../core/pod-units.ts'
import { causeView } from './cause-view.ts'
import type { CauseView, Tone, WorkloadView, WorkloadWord } from './view-model.ts'

const TROUBLE: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, unknown: 2, busy: 3, ok: 4 }

/** One row a pod, trouble first, then by name. */
export function workloadViews(state: AgentState, now: Now): readonly WorkloadView[] {
  const pods = wantedState(state)?.pods ?? []
  const wanted = new Set(pods.map((pod) => pod.uid))
  const rows = [
    ...pods.map((pod) => desiredRow(state, pod, now)),
    ...(state.observed ?? []).filter((one) => !wanted.has(one.podUid)).map((one) => strayRow(state, one, now)),
  ]
  return rows.sort((a, b) => TROUBLE[a.tone] - TROUBLE[b.tone] || compare(a.namespace, b.namespace) || compare(a.name, b.name))
}

function desiredRow(state: AgentState, pod: DesiredPod, now: Now): WorkloadView {
  const all = (state.observed ?? []).filter((one) => one.podUid === pod.uid)
  const current = all.find((one) => one.specHash === pod.specHash)
  const shown = current ?? all[0]
  const verdict = state.plan.verdicts.find((one) => one.identity.podUid === pod.uid && one.identity.specHash === pod.specHash)
  const word = wordOf(state, pod, current, verdict)
  const why = word === 'running' ? null : reasonOf(state, pod, verdict, now)
  return {
    uid: pod.uid,
    namespace: pod.namespace,
    name: pod.name,
    image: pod.spec.containers[0]?.image ?? '',
    word,
    tone: toneOf(word, why, current),
    cause: why,
    update: updateOf(state, pod, now),
    pull: pullOf(state, pod, current),
    olderRuns: current === undefined && all.some((one) => one.state === 'running'),
    restarts: entriesOf(state, pod.uid).reduce((sum, entry) => sum + entry.restarts, 0),
    startedAt: word === 'running' ? (shown?.startedAt ?? null) : null,
    log: shown?.name ?? null,
    cpus: pod.placement?.cpus ?? '',
  }
}

/** Shown between attempts, too: the next one goes on from there. */
function pullOf(state: AgentState, pod: DesiredPod, current: ObservedContainer | undefined): string {
  if (current !== undefined && state.updates?.pending[pod.uid] === undefined) return ''
  const asked = state.updates?.pending[pod.uid]?.pod ?? pod
  const pulls = asked.spec.containers.flatMap(({ image }) => state.pulls?.[image] ?? [])
  const shown = pulls.find((pull) => pull.active) ?? pulls[0]
  return shown === undefined ? '' : progressText(shown)
}

/** A container of ours that no desired pod names: on its way out, or kept because nothing readable says otherwise. */
function strayRow(state: AgentState, one: ObservedContainer, now: Now): WorkloadView {
  const kept = state.knowledge !== 'known'
  const word: WorkloadWord = !state.engine.reachable ? 'unknown' : !kept ? 'removing' : one.state === 'running' ? 'running' : 'stopped'
  const verdict = state.plan.verdicts.find((each) => each.identity.name === one.name)
  const blocked = verdict?.cause === undefined ? null : causeView(verdict.cause, now, verdict.notBeforeMonoMs)
  const why = state.knowledge === 'unknown' ? causeView(cause('desired.unknown'), now) : blocked
  return {
    uid: '',
    namespace: one.namespace,
    name: one.podName,
    image: one.image,
    word,
    pull: '',
    olderRuns: false,
    restarts: 0,
    log: one.name,
    cpus: '',
    cause: why,
    update: null,
    tone: kept ? 'warn' : why === null ? 'busy' : 'warn',
    startedAt: word === 'running' ? one.startedAt : null,
  }
}

function wordOf(state: AgentState, pod: DesiredPod, current: ObservedContainer | undefined, verdict: Verdict | undefined): WorkloadWord {
  if (state.observed === null || !state.engine.reachable) return 'unknown'
  if (current?.state === 'running' || current?.state === 'paused') return 'running'
  const code = verdict?.kind === 'blocked' ? verdict.cause?.code : undefined
  if (code === 'container.crash-loop') return 'restarting'
  if (code === 'container.exited' || code === 'override.local.hold') return 'stopped'
  if (code !== undefined) return 'pending'
  const running = [...state.imageWaves, ...(state.wave === null ? [] : [state.wave])].flatMap((wave) => wave.lanes)
  const lane = running.find((one) => one.key.startsWith(`${pod.uid}/`))
  if (lane !== undefined) return current === undefined && lane.steps.some((step) => step.kind === 'ensure-image') ? 'pulling' : 'starting'
  if (current?.state === 'restarting' || current?.state === 'dead') return 'restarting'
  if (current?.state === 'exited') return restartsAfterExit(pod, current.exitCode) ? 'restarting' : 'stopped'
  return 'pending'
}

function reasonOf(state: AgentState, pod: DesiredPod, verdict: Verdict | undefined, now: Now): CauseView | null {
  if (verdict?.cause !== undefined) return causeView(verdict.cause, now, verdict.notBeforeMonoMs)
  const failed = entriesOf(state, pod.uid).find((entry) => entry.lastCause !== null)
  if (failed?.lastCause !== undefined && failed.lastCause !== null) return causeView(failed.lastCause, now, failed.notBeforeMonoMs)
  return state.engine.reachable || state.engine.cause === null ? null : causeView(state.engine.cause, now)
}

/** A revision that waits, or that was returned from. */
function updateOf({ updates }: AgentState, { uid }: DesiredPod, now: Now): CauseView | null {
  const waits = updates?.pending[uid]
  return waits === undefined ? null : causeView(waits.cause, now, waits.notBeforeMonoMs ?? undefined)
}

function toneOf(word: WorkloadWord, why: CauseView | null, current: ObservedContainer | undefined): Tone {
  if (word === 'running') return 'ok'
  if (why?.code.startsWith('override.') === true) return 'warn'
  if (word === 'stopped') return current?.exitCode === 0 ? 'ok' : 'bad'
  if (word === 'unknown') return 'unknown'
  if (why === null) return word === 'restarting' ? 'warn' : 'busy'
  return why.code === 'container.waits-for-removal' ? 'busy' : 'bad'
}

function entriesOf(state: AgentState, uid: string): readonly AgentState['ledger'][string][] {
  return Object.entries(state.ledger)
    .filter(([key]) => key.startsWith(`${uid}/`))
    .map(([, entry]) => entry)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
