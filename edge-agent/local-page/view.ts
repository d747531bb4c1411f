/** The field page's data, made from the agent's state. Pure: the same state and moment give the same page. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { outageOf } from '../core/contact.ts'
import type { Now } from '../core/model.ts'
import type { Override } from '../core/saved-model.ts'
import { linkPace } from '../core/link-pace.ts'
import type { AgentState, Outage } from '../core/state.ts'
import { renderPlan } from '../core/render-plan.ts'
import { causeView } from './cause-view.ts'
import { clockLine } from './clock-view.ts'
import { ownView, scheduleViews } from './schedule-view.ts'
import { hardwareView } from './hardware-view.ts'
import { placesOf } from './place-view.ts'
import type { FieldView, LineView, OverrideView, WorkloadView } from './view-model.ts'
import { workloadViews } from './workload-view.ts'

const PLAN_LINES = 60

/** What the page itself knows beside the agent. */
export interface PageFacts {
  readonly done: FieldView['done']
  readonly canAct: boolean
  readonly traffic?: FieldView['traffic']
}

/** Everything the page shows. Environment values, commands and keys are never read here. */
export function fieldView(state: AgentState, now: Now, page: PageFacts = { done: [], canAct: false }): FieldView {
  const workloads = workloadViews(state, now)
  const { desired } = state
  return {
    device: state.device,
    agentVersion: state.agentVersion,
    atMs: now.wallMs,
    canAct: page.canAct,
    traffic: page.traffic ?? null,
    overrides: state.overrides.map((one) => overrideView(one, now)),
    done: page.done.toReversed(),
    headline: headline(state, workloads),
    link: linkLine(state, now),
    engine: engineLine(state, now),
    storage: storageLine(state, now),
    clock: clockLine(state.clock, now),
    own: ownView(state, now),
    schedules: scheduleViews(state, now),
    workloads,
    desired:
      desired === null ? null : { epoch: desired.epoch, generation: desired.generation, issuedAt: desired.issuedAt, pods: desired.pods.length },
    plan: renderPlan(state.plan, now.monoMs).slice(0, PLAN_LINES),
    waitsFor: state.plan.waitsFor.map((one) => causeView(one, now, state.plan.nextAtMonoMs)),
    refusals: state.refusals.map((one) => causeView(one, now)).reverse(),
    sessions: state.sessions,
    hardware: state.inventory === null ? null : hardwareView(state.inventory, placesOf(state, workloads)),
  }
}

function overrideView({ id, kind, pod, owner, reason, untilMonoMs }: Override, now: Now): OverrideView {
  const target = pod === null ? 'this device' : `${pod.namespace}/${pod.name}`
  return { id, kind, target, owner, reason, endsAtMs: Math.round(now.wallMs + untilMonoMs - now.monoMs) }
}

/** The one sentence a person reads first: the worst thing that is true. */
function headline(state: AgentState, workloads: readonly WorkloadView[]): FieldView['headline'] {
  const detail = headlineDetail(state)
  const run = workloads.filter((one) => one.word === 'running').length
  const troubled = workloads.filter((one) => one.tone === 'bad' || one.tone === 'warn').length
  if (state.knowledge === 'loading') return { tone: 'busy', says: 'Starting: reading what this device should run.', detail }
  if (!state.engine.reachable) return { tone: 'bad', says: 'The container engine does not answer.', detail }
  if (state.storage?.code === 'storage.degraded') return { tone: 'bad', says: 'The disk does not take the state file.', detail }
  if (state.knowledge === 'unknown') return { tone: 'warn', says: 'What should run here is not known; everything that runs is kept.', detail }
  if (troubled > 0)
    return { tone: 'bad', says: `${troubled} of ${workloads.length} workloads ${troubled === 1 ? 'needs' : 'need'} attention.`, detail }
  if (state.knowledge === 'none') return { tone: 'unknown', says: 'This device has not been given any work yet.', detail }
  if (workloads.length === 0) return { tone: 'ok', says: 'Nothing is asked of this device, and nothing runs.', detail }
  if (workloads.some((one) => one.tone === 'busy')) return { tone: 'busy', says: `Changing: ${run} of ${workloads.length} workloads run.`, detail }
  return { tone: 'ok', says: workloads.length === 1 ? 'The workload is fine.' : `All ${workloads.length} workloads are fine.`, detail }
}

function headlineDetail(state: AgentState): string {
  if (state.link.kind === 'up') return 'The cloud is in contact.'
  if (state.link.kind === 'disabled') return 'This device works without a cloud.'
  return 'No contact with the cloud; workloads go on without it.'
}

/** A metered link is asked seldom: one that was lost meanwhile is not known to be. */
function contactWords(state: AgentState): string {
  const { class: linkClass, keepaliveS } = linkPace(state)
  return linkClass === 'metered'
    ? `In contact over a metered link, which is tried every ${Math.round(keepaliveS / 60)} min when it is quiet`
    : 'In contact'
}

function linkLine(state: AgentState, now: Now): LineView {
  const { link } = state
  switch (link.kind) {
    case 'up':
      return { tone: 'ok', says: contactWords(state), cause: null, sinceMs: link.sinceWallMs }
    case 'disabled':
      return { tone: 'unknown', says: 'No cloud is configured', cause: null, sinceMs: null }
    case 'connecting':
    case 'down': {
      const outage = outageOf(link)
      if (outage === null) return { tone: 'busy', says: 'Connecting', cause: null, sinceMs: null }
      const says = link.kind === 'down' ? 'No contact' : 'No contact, trying again'
      return { tone: 'warn', says, cause: causeView(outageCause(outage), now), sinceMs: outage.sinceWallMs }
    }
  }
}

function outageCause({ sinceWallMs, why }: Outage): Cause {
  // as TLS words all that it finds wrong with one
  const code = /certificate/i.test(why) ? 'link.certificate' : 'link.down'
  return cause(code, { since: `${new Date(sinceWallMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`, why })
}

function engineLine(state: AgentState, now: Now): LineView {
  const { engine } = state
  if (engine.reachable) {
    return {
      tone: 'ok',
      says: engine.info === null ? 'Answers' : `Answers, version ${engine.info.version}`,
      cause: null,
      sinceMs: engine.sinceWallMs,
    }
  }
  return { tone: 'bad', says: 'Does not answer', cause: engine.cause === null ? null : causeView(engine.cause, now), sinceMs: engine.sinceWallMs }
}

function storageLine(state: AgentState, now: Now): LineView {
  const saving = state.saving !== null
  if (state.storage !== null) {
    const tone = state.storage.code === 'storage.fell-back' ? 'warn' : 'bad'
    return { tone, says: 'Needs a look', cause: causeView(state.storage, now), sinceMs: null }
  }
  if (state.knowledge === 'unknown') {
    return { tone: 'warn', says: 'Saved state is unreadable', cause: causeView(cause('desired.unknown'), now), sinceMs: null }
  }
  return { tone: saving ? 'busy' : 'ok', says: saving ? 'Saving a new desired state' : 'Takes writes', cause: null, sinceMs: null }
}
