/** What probes add to the report of a running container: ready, started, and why not. */
import type { Cause } from '../../protocol/causes.ts'
import type { ContainerReport } from '../../protocol/status-report.ts'
import { keyOfObserved } from './identity.ts'
import type { Match } from './match.ts'
import type { ContainerProbes, Probes } from './probe-model.ts'
import { hasProbes } from './probes.ts'

/** Readiness as the probes have it; a run that was not asked yet is not ready. */
export function withProbes(report: ContainerReport, match: Match, probes: Probes): ContainerReport {
  if (report.state !== 'running') return { ...report, started: false }
  const one = probesOf(match, probes)
  if (one === undefined) {
    // the revision before, adopted from an earlier agent: its probes are not known, that it runs is
    const asked = match.kept !== null && hasProbes(match.container)
    return { ...report, ready: report.ready && !asked, started: !asked }
  }
  return { ...report, ready: report.ready && one.ready, started: one.started }
}

/** Does what runs of this container serve? */
export function isReady(match: Match, probes: Probes): boolean {
  if ((match.kept ?? match.older[0])?.state !== 'running') return false
  const one = probesOf(match, probes)
  return one === undefined ? match.kept === null || !hasProbes(match.container) : one.ready
}

/** Why a running container of this pod is not ready, or null. */
export function unreadyCause(matches: readonly Match[], probes: Probes): Cause | null {
  for (const match of matches) {
    const one = probesOf(match, probes)
    if (one === undefined) continue
    const why = one.unhealthy ?? one.failing.liveness ?? (one.ready ? undefined : (one.failing.startup ?? one.failing.readiness))
    if (why !== undefined) return why
  }
  return null
}

function probesOf({ key, kept, older }: Match, probes: Probes): ContainerProbes | undefined {
  if (kept !== null) return probes[key]
  return older[0] === undefined ? undefined : probes[keyOfObserved(older[0])]
}
