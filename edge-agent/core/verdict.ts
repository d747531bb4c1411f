/** Desired x observed for one container: what to do with it, and why. */
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { identityOfObserved } from './identity.ts'
import type { Match } from './match.ts'
import type { DesiredPod, ObservedContainer, Verdict } from './model.ts'
import type { LedgerEntry } from './saved-model.ts'
import { restartsAfterExit } from './pod-units.ts'
import type { Role } from './pod-units.ts'
import type { Restart } from './probes.ts'
import { retryDelayMs } from './backoff.ts'

export interface Context {
  readonly nowMonoMs: number
  readonly entry: LedgerEntry | undefined
  /** found running before this agent session began to act */
  readonly adopted: ReadonlySet<string>
  /** why its probes ask for a restart of what runs, and with which grace period */
  readonly restart: Restart | null
  /** asked only when a container would be made */
  readonly admission: (match: Match) => Cause | null
}

/** The verdict on one desired container. Its duplicates and older revisions are judged by `judgeExtra`. */
export function judge(match: Match, context: Context): Verdict {
  return match.kept === null ? judgeMissing(match, context) : judgeExisting(match, match.kept, context)
}

/** A container of this device that nothing desired asks for. */
export function judgeUnwanted(found: ObservedContainer, entry: LedgerEntry | undefined, nowMonoMs: number): Verdict {
  return judgeRemoval(found, 'its pod is no longer desired', entry, nowMonoMs)
}

/** A second container where one belongs. */
export function judgeExtra(found: ObservedContainer, match: Match, entry: LedgerEntry | undefined, nowMonoMs: number): Verdict {
  const twice = found.specHash === match.hash
  return judgeRemoval(found, twice ? 'the same container twice, one is kept' : 'an older revision beside the new one', entry, nowMonoMs)
}

/** True when this container ran to its end and stays that way. */
export function isFinished(pod: DesiredPod, found: ObservedContainer, role: Role): boolean {
  return (found.state === 'exited' || found.state === 'dead') && found.startedAt !== null && !restartsAfterExit(pod, found.exitCode, role)
}

/** What stopped the last attempt; after an agent restart only counts are left. */
export function waitingCause(entry: LedgerEntry, found: ObservedContainer | null): Cause {
  if (entry.lastCause !== null) return entry.lastCause
  if (found !== null && entry.crashes > 0) return cause('container.crash-loop', { code: found.exitCode ?? 'unknown', restarts: entry.restarts })
  return cause('engine.error', { why: 'an attempt before the agent restarted failed' })
}

function judgeMissing(match: Match, context: Context): Verdict {
  const { identity, leaving, older } = match
  if (leaving !== null) return waitsForEngine(identity, leaving, context.nowMonoMs)
  const wait = waiting(match, context)
  if (wait !== null) return wait
  const refused = context.admission(match)
  if (refused !== null) return { kind: 'blocked', identity, reason: 'the device cannot take it', cause: refused }
  const old = older[0]
  if (old === undefined) return { kind: 'create', identity, reason: 'no container yet' }
  return { kind: 'replace', identity, reason: whatChanged(match, old) }
}

function judgeExisting(match: Match, kept: ObservedContainer, context: Context): Verdict {
  const { identity } = match
  if (isFinished(match.pod, kept, match.role)) {
    const policy = match.pod.spec.restartPolicy ?? 'Always'
    return { kind: 'keep', identity, reason: `ended with code ${kept.exitCode ?? 'unknown'}, not restarted (restartPolicy ${policy})` }
  }
  if (isDamaged(kept, context.entry)) return waiting(match, context) ?? { kind: 'replace', identity, reason: 'its image is damaged on the disk' }
  switch (kept.state) {
    case 'running':
      if (context.restart !== null) return waiting(match, context) ?? restartVerdict(identity, context.restart)
      return context.adopted.has(kept.id)
        ? { kind: 'adopt', identity, reason: 'already running as desired when the agent started' }
        : { kind: 'keep', identity, reason: 'running as desired' }
    case 'restarting':
      return { kind: 'keep', identity, reason: 'the engine is restarting it' }
    case 'removing':
      return waitsForEngine(identity, kept, context.nowMonoMs)
    case 'paused':
      return waiting(match, context) ?? { kind: 'stop', identity, reason: 'paused by hand, stopped so that it can run again' }
    case 'created':
      return waiting(match, context) ?? { kind: 'start', identity, reason: 'created but not started' }
    case 'exited':
      return waiting(match, context) ?? { kind: 'start', identity, reason: `ended with code ${kept.exitCode ?? 'unknown'}` }
    case 'dead':
      return replaceDead(match, context)
  }
}

/** Stopped only: the exit is counted and the start follows by the ordinary way, with its backoff. */
function restartVerdict(identity: Verdict['identity'], { cause: why, graceSeconds }: Restart): Verdict {
  const reason = `restart: ${causeSentence(why)}`
  return { kind: 'stop', identity, reason, ...(graceSeconds === null ? {} : { graceSeconds }) }
}

/** A container that would not start from damaged files is in the way of their repair. */
export function isDamaged(kept: ObservedContainer, entry: LedgerEntry | undefined): boolean {
  return entry?.lastCause?.code === 'image.damaged' && (kept.state === 'created' || kept.state === 'exited')
}

function replaceDead(match: Match, context: Context): Verdict {
  const wait = waiting(match, context)
  if (wait !== null) return wait
  const refused = context.admission(match)
  if (refused !== null) return { kind: 'blocked', identity: match.identity, reason: 'the device cannot take it', cause: refused }
  return { kind: 'replace', identity: match.identity, reason: 'dead: the engine cannot start it again' }
}

function judgeRemoval(found: ObservedContainer, reason: string, entry: LedgerEntry | undefined, nowMonoMs: number): Verdict {
  const identity = identityOfObserved(found)
  if (found.state === 'removing') return waitsForEngine(identity, found, nowMonoMs)
  // a crash backoff does not hold up a removal, a failed engine step does
  if (entry !== undefined && entry.failures > 0 && entry.notBeforeMonoMs !== null && entry.notBeforeMonoMs > nowMonoMs) {
    const { notBeforeMonoMs } = entry
    return { kind: 'blocked', identity, reason: `${reason}; waits before the next try`, cause: waitingCause(entry, null), notBeforeMonoMs }
  }
  return { kind: 'remove', identity, reason }
}

/** A stop that the engine refused is tried again soon, but not at once: others may wait that it is done. */
export function stopAgain(verdict: Verdict, key: string, entry: LedgerEntry | undefined, nowMonoMs: number): Verdict {
  if (verdict.kind !== 'stop' || entry === undefined || entry.failures === 0 || entry.notBeforeMonoMs === null) return verdict
  const waitedMs = Math.max(0, retryDelayMs(entry.failures, key) - LIMITS.stopRetryMaxMs.value)
  const notBeforeMonoMs = entry.notBeforeMonoMs - waitedMs
  if (notBeforeMonoMs <= nowMonoMs) return verdict
  const { identity, reason } = verdict
  return { kind: 'blocked', identity, reason: `${reason}; waits before the next try`, cause: waitingCause(entry, null), notBeforeMonoMs }
}

function waiting(match: Match, { entry, nowMonoMs }: Context): Verdict | null {
  if (entry === undefined || entry.notBeforeMonoMs === null || entry.notBeforeMonoMs <= nowMonoMs) return null
  return {
    kind: 'blocked',
    identity: match.identity,
    reason: 'waits before the next try',
    cause: waitingCause(entry, match.kept),
    notBeforeMonoMs: entry.notBeforeMonoMs,
  }
}

/** The engine says when it is done; the time is only for a lost event. */
function waitsForEngine(identity: Verdict['identity'], leaving: ObservedContainer, nowMonoMs: number): Verdict {
  return {
    kind: 'blocked',
    identity,
    reason: 'the engine is removing it',
    cause: cause('container.waits-for-removal', { other: leaving.name, why: 'the engine is removing it' }),
    notBeforeMonoMs: nowMonoMs + LIMITS.observeIdleMs.value,
  }
}

function whatChanged({ container, hash, role }: Match, old: ObservedContainer): string {
  if (old.specHash === hash) return role === 'sandbox' ? 'the network of its pod ended' : 'made again beside the new network of its pod'
  const what = container.image === old.image ? 'spec changed' : `image ${old.image} -> ${container.image}`
  return `${what}, ${old.specHash.slice(0, 8)} -> ${hash.slice(0, 8)}`
}
