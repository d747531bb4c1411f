/**
 * When the cloud is told. The first change after a quiet time at once, then not more often than the table says. A new document is a
 * change that ends by itself: what is known on the way waits for the end for a while, so that most changes are told once.
 */
import type { Inventory } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { SessionSeen } from '../../protocol/session.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import { outageOf } from './contact.ts'
import { linkPace, refreshMs } from './link-pace.ts'
import type { Now, Pulls, Version } from './model.ts'
import type { AgentState, LinkState } from './state.ts'
import { act } from './on-observed.ts'
import { wantImages } from './on-update.ts'
import { buildReport } from './report.ts'
import { isWorthSending } from './report-news.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

/** A link that came up may lead to a broker that lost what it kept: everything is said again. */
export function onLink(state: AgentState, link: LinkState): Turn {
  const cameUp = link.kind === 'up' && state.link.kind !== 'up'
  const outage = link.kind === 'connecting' ? outageOf(state.link) : null
  const next: AgentState = { ...state, link: outage === null ? link : { kind: 'connecting', after: outage } }
  if (!cameUp) return quiet(next)
  return onReportAsked(next)
}

/** Sends report and inventory again, whatever was sent before. */
export function onReportAsked(state: AgentState): Turn {
  const asked = { ...state, report: { ...state.report, last: null, dirty: true } }
  return state.inventory === null ? quiet(asked) : turn(asked, { kind: 'publish-inventory', inventory: state.inventory })
}

/** Other hardware may admit what was blocked. */
export function onInventory(state: AgentState, inventory: Inventory, hostIp: string | null, now: Now): Turn {
  const next = { ...state, inventory, hostIp, report: { ...state.report, dirty: true } }
  // another link may have another limit of downloads
  const sameLink = linkPace(state).class === linkPace(next).class || state.knowledge === 'loading'
  const told = turn(next, { kind: 'publish-inventory', inventory }, ...(sameLink ? [] : [wantImages(next)]))
  return andThen(told, (known) => (known.timing.fresh ? act(known, now) : quiet(known)))
}

/** Progress of image pulls: for page and report only, nothing is decided by it. */
export function onPulls(state: AgentState, pulls: Pulls): Turn {
  return quiet({ ...state, pulls, report: { ...state.report, dirty: true } })
}

export function onSessions(state: AgentState, sessions: readonly SessionSeen[]): Turn {
  return quiet({ ...state, sessions, report: { ...state.report, dirty: true } })
}

/** Publishes when something changed that people or the cloud care for, or when the last report has become old. */
export function sendReport(before: AgentState, now: Now): Turn {
  const state = withHold(before, now)
  const at = reportAt(state)
  if (at === null) return quiet(state)
  const { last, seq, sentAtMonoMs, dirty } = state.report
  const refresh = at <= now.monoMs && (sentAtMonoMs === null || now.monoMs - sentAtMonoMs >= refreshMs(state))
  if (!refresh && !dirty) return quiet(state)
  if (state.report.heldUntilMonoMs !== null && state.report.heldUntilMonoMs > now.monoMs) return quiet(state)
  const report = buildReport(state, now)
  // decided before the interval is over, so that looking without finding anything new asks for no wake
  if (!refresh && !isWorthSending(last, report)) return quiet({ ...state, report: { ...state.report, dirty: false } })
  if (at > now.monoMs) return quiet(state)
  return turn(
    { ...state, report: { last: report, seq: seq + 1, sentAtMonoMs: now.monoMs, dirty: false, heldUntilMonoMs: null } },
    { kind: 'publish-status', report },
  )
}

/** The moment when a report is due; null while there is nothing true to say yet. */
export function reportAt(state: AgentState): number | null {
  const { dirty, sentAtMonoMs, heldUntilMonoMs } = state.report
  const seenEngine = state.observed !== null || state.engine.cause !== null
  if (state.knowledge === 'loading' || !seenEngine) return null
  if (sentAtMonoMs === null) return 0
  return Math.max(heldUntilMonoMs ?? 0, sentAtMonoMs + (dirty ? LIMITS.reportMinIntervalMs.value : refreshMs(state)))
}

/** Something ends soon by itself; a device that only waits has nothing to wait for. */
function hasWork({ wave, imageWaves, timing, plan, updates }: AgentState): boolean {
  return wave !== null || imageWaves.length > 0 || !timing.fresh || plan.waves.length > 0 || isWrittenDown(updates)
}

/** A switch is decided and on its way to the disk. */
function isWrittenDown(updates: AgentState['updates']): boolean {
  return Object.values(updates?.pending ?? {}).some(({ cause }) => cause.code === 'update.switching')
}

/** Held from the first news of a document until its end, or as long as the table says. */
function withHold(state: AgentState, now: Now): AgentState {
  const { last, dirty, heldUntilMonoMs } = state.report
  const isUnderWay = dirty && last !== null && state.desired !== null && !isOfDocument(last, state.desired) && hasWork(state)
  if (isUnderWay === (heldUntilMonoMs !== null)) return state
  return { ...state, report: { ...state.report, heldUntilMonoMs: isUnderWay ? now.monoMs + LIMITS.reportHoldMs.value : null } }
}

function isOfDocument({ desired }: StatusReport, { epoch, generation }: Version): boolean {
  return desired?.epoch === epoch && desired.generation === generation
}
