/** When the cloud is told. The first change after a quiet time at once, then not more often than the table says. */
import type { Inventory } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { SessionSeen } from '../../protocol/session.ts'
import { refreshMs } from './link-pace.ts'
import type { Now, Pulls } from './model.ts'
import type { AgentState, LinkState } from './state.ts'
import { act } from './on-observed.ts'
import { buildReport, isWorthSending } from './report.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

/** A link that came up may lead to a broker that lost what it kept: everything is said again. */
export function onLink(state: AgentState, link: LinkState): Turn {
  const cameUp = link.kind === 'up' && state.link.kind !== 'up'
  const next = { ...state, link }
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
  return andThen(turn(next, { kind: 'publish-inventory', inventory }), (known) => (known.timing.fresh ? act(known, now) : quiet(known)))
}

/** Progress of image pulls: for page and report only, nothing is decided by it. */
export function onPulls(state: AgentState, pulls: Pulls): Turn {
  return quiet({ ...state, pulls, report: { ...state.report, dirty: true } })
}

export function onSessions(state: AgentState, sessions: readonly SessionSeen[]): Turn {
  return quiet({ ...state, sessions, report: { ...state.report, dirty: true } })
}

/** Publishes when something changed that people or the cloud care for, or when the last report has become old. */
export function sendReport(state: AgentState, now: Now): Turn {
  const at = reportAt(state)
  if (at === null) return quiet(state)
  const { last, seq, sentAtMonoMs, dirty } = state.report
  const refresh = at <= now.monoMs && (sentAtMonoMs === null || now.monoMs - sentAtMonoMs >= refreshMs(state))
  if (!refresh && !dirty) return quiet(state)
  const report = buildReport(state, now)
  // decided before the interval is over, so that looking without finding anything new asks for no wake
  if (!refresh && !isWorthSending(last, report)) return quiet({ ...state, report: { ...state.report, dirty: false } })
  if (at > now.monoMs) return quiet(state)
  return turn({ ...state, report: { last: report, seq: seq + 1, sentAtMonoMs: now.monoMs, dirty: false } }, { kind: 'publish-status', report })
}

/** The moment when a report is due; null while there is nothing true to say yet. */
export function reportAt(state: AgentState): number | null {
  const { dirty, sentAtMonoMs } = state.report
  const seenEngine = state.observed !== null || state.engine.cause !== null
  if (state.knowledge === 'loading' || !seenEngine) return null
  if (sentAtMonoMs === null) return 0
  return sentAtMonoMs + (dirty ? LIMITS.reportMinIntervalMs.value : refreshMs(state))
}
