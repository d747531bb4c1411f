/** What a local override makes of a verdict. Removals are never touched: an override keeps nothing that is no longer wanted. */
import type { Fence } from './contact-model.ts'
import type { Match } from './match.ts'
import type { Verdict } from './model.ts'
import type { Override } from './saved-model.ts'
import { isToRestart, overrideCause } from './overrides.ts'

/** The verdict under the overrides of its pod. */
export function overridden(verdict: Verdict, match: Match, overrides: readonly Override[], nowMonoMs: number): Verdict {
  for (const override of overrides) {
    if (override.pod?.uid !== match.pod.uid) continue
    if (override.kind === 'hold') return held(verdict, match, override, nowMonoMs)
    if (override.kind === 'restart') return restarted(verdict, match, override)
  }
  return verdict
}

/** A pod that may run elsewhere meanwhile does not run here; its container is kept for its return. */
export function fenced(verdict: Verdict, match: Match, fence: Fence | undefined): Verdict {
  const why = fence?.stopped[match.pod.uid]
  if (why === undefined) return verdict
  const { identity } = verdict
  const reason = 'stopped for want of contact with the cloud'
  const runs = [match.kept, ...(match.kept === null ? match.older : [])].some((one) => one?.state === 'running' || one?.state === 'restarting')
  return runs ? { kind: 'stop', identity, reason } : { kind: 'blocked', identity, reason, cause: why }
}

function held(verdict: Verdict, match: Match, override: Override, nowMonoMs: number): Verdict {
  const { identity } = verdict
  const reason = `held by ${override.owner}: ${override.reason}`
  if (match.kept?.state === 'running' || match.kept?.state === 'restarting') return { kind: 'stop', identity, reason }
  return { kind: 'blocked', identity, reason, cause: overrideCause(override, nowMonoMs), notBeforeMonoMs: override.untilMonoMs }
}

function restarted(verdict: Verdict, match: Match, override: Override): Verdict {
  const { kept } = match
  if (kept === null || !isToRestart(override, kept)) return verdict
  const reason = `restart asked by ${override.owner}: ${override.reason}`
  if (kept.state === 'running' || kept.state === 'restarting') return { kind: 'stop', identity: verdict.identity, reason }
  // also one that ended for good: a person asked for it
  if (kept.state === 'exited' || kept.state === 'created') return { kind: 'start', identity: verdict.identity, reason }
  return verdict
}
