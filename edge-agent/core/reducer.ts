/**
 * The agent's brain: `reduce(state, event, now) -> { state, effects }`. No other code changes AgentState.
 * INVARIANTS
 * - Nothing of a desired state is acted on before `saved` says that it is durable (on-target).
 * - One observation and one save in flight at a time; the newest target wins (on-observed, on-target).
 * - One quick wave at a time. Lanes that pull images run beside it, so that a slow link does not hold up a restart or a
 *   removal; no container is ever in two running waves (on-observed, on-step).
 * - A wave starts only from an observation that began after the last wave ended (on-observed).
 * - Every wait ends in a `wake-at`; nothing is polled (wake).
 */
import type { Now } from './model.ts'
import type { AgentEvent, AgentState, Effect } from './state.ts'
import { onEngineInfo, onObserveFailed, onObserved, requestObserve } from './on-observed.ts'
import { noticeClock, onClockFacts, onCloudTime } from './on-clock.ts'
import { settleCron } from './on-cron.ts'
import { settleContact } from './on-contact.ts'
import { onInventory, onLink, onPulls, onReportAsked, onSessions, sendReport } from './on-report.ts'
import { onDiskUse } from './on-disk-use.ts'
import { keepEvicted, onPressure } from './on-pressure.ts'
import { onProbeResult, startProbes, syncProbes } from './on-probe.ts'
import { onOverride, onOverrideEnd, settleOverrides } from './on-override.ts'
import { onServices } from './on-services.ts'
import { onStepDone, onWaveDone } from './on-step.ts'
import { onLoaded, onRefused, onSaveFailed, onSaved, onTarget, startSave } from './on-target.ts'
import { noteUse } from './own-use.ts'
import { andThen, quiet } from './turn.ts'
import type { Turn } from './turn.ts'
import { dueObservation, setWake } from './wake.ts'

export function reduce(state: AgentState, event: AgentEvent, now: Now): { readonly state: AgentState; readonly effects: readonly Effect[] } {
  const handled = andThen(noticeClock(state, now), (seen) => andThen(handle(seen, event, now), (next) => probed(seen, event, next, now)))
  const reached = andThen(handled, (next) => settleContact(state, event, next, now))
  const scheduled = andThen(reached, (next) => settleCron(event, next, now))
  const settled = andThen(scheduled, (next) => settleOverrides(next, now))
  const saved = andThen(settled, (next) => startSave(next, now))
  const reported = andThen(saved, (next) => sendReport(next, now))
  return andThen(reported, (next) => setWake(next, now))
}

function handle(state: AgentState, event: AgentEvent, now: Now): Turn {
  switch (event.kind) {
    case 'loaded':
      return onLoaded(state, event.loaded, now)
    case 'target':
      return onTarget(state, event.desired)
    case 'target-refused':
      return onRefused(state, event.cause)
    case 'saved':
      return onSaved(state, event, now)
    case 'save-failed':
      return onSaveFailed(state, event.cause, now)
    case 'observed':
      return onObserved(state, event.containers, now, event.volumePods)
    case 'observe-failed':
      return onObserveFailed(state, event.cause, now)
    case 'engine-info':
      return onEngineInfo(state, event.info)
    case 'engine-event':
      return requestObserve(state)
    case 'step-done':
      return onStepDone(state, event, now)
    case 'wave-done':
      return onWaveDone(state, event.wave)
    case 'disk-use':
      return onDiskUse(state, event.volumes, now)
    case 'pressure':
      return onPressure(state, event.sample, now)
    case 'probe-result':
      return onProbeResult(state, event, now)
    case 'link':
      return onLink(state, event.link)
    case 'inventory':
      return onInventory(state, event.inventory, event.hostIp, now)
    case 'page':
      return quiet({ ...state, page: event.page, report: { ...state.report, dirty: true } })
    case 'own-use':
      return quiet({ ...state, own: noteUse(state.own, event.sample, now.monoMs) })
    case 'agent-release':
      return quiet({ ...state, release: event.cause, report: { ...state.report, dirty: true } })
    case 'clock':
      return onClockFacts(state, event.facts, now)
    case 'cloud-time':
      return onCloudTime(state, event.atWallMs, now)
    case 'pulls':
      return onPulls(state, event.pulls)
    case 'report-asked':
      return onReportAsked(state)
    case 'sessions':
      return onSessions(state, event.open)
    case 'services':
      return onServices(state, event.causes)
    case 'override':
      return onOverride(state, event.request, now)
    case 'override-end':
      return onOverrideEnd(state, event.id, now)
    case 'tick':
      return dueObservation(state, now)
  }
}

/** News of the engine or of what is desired may begin or end a run; after that, what is due is asked. */
function probed(before: AgentState, event: AgentEvent, state: AgentState, now: Now): Turn {
  const news = event.kind === 'observed' || event.kind === 'saved'
  const probes = news ? syncProbes(state, event.kind === 'observed' ? before.observed : state.observed, now.monoMs) : state.probes
  const pressure = event.kind === 'saved' ? keepEvicted(state.pressure, state.desired) : state.pressure
  const same = probes === state.probes && pressure === state.pressure
  return startProbes(same ? state : { ...state, probes, pressure }, now)
}
