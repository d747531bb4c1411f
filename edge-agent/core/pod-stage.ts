/**
 * The pod around a container: what its other containers mean for it. The sandbox comes first, init containers one after
 * another, then the rest side by side; a pod that has ended needs neither sandbox nor sidecars. INVARIANTS
 * - A container that runs is never stopped because an init container, or the sandbox, is missing: only once a new sandbox
 *   runs is it made again beside that one.
 * - Init containers run again only with a new sandbox: once a main container has started, they are done.
 */
import { cause } from '../../protocol/causes.ts'
import type { Match } from './match.ts'
import type { ObservedContainer, Verdict } from './model.ts'
import { isFinished } from './verdict.ts'

export interface Staged {
  readonly match: Match
  /** the sandbox that it is made beside; null = none is needed */
  readonly sandbox: ObservedContainer | null
  /** what the pod says, before the container itself is judged; null = it may speak for itself */
  readonly hold: Verdict | null
}

/** All matches of one pod, in the order of `unitsOf`. */
export function stagePod(matches: readonly Match[]): readonly Staged[] {
  const holder = matches.find(({ role }) => role === 'sandbox')
  if (holder === undefined) return matches.map((match) => ({ match, sandbox: null, hold: null }))
  if (podHasEnded(matches)) return matches.map((match) => ({ match, sandbox: null, hold: afterEnd(match) }))
  const sandbox = holder.kept?.state === 'running' ? holder.kept : null
  if (sandbox === null) return matches.map((match) => withoutNetwork(match))
  return inTurn(matches.map((match) => ({ match: besides(match, sandbox), sandbox, hold: null })))
}

/** Every main container ran to its end, or an init container failed for good. */
export function podHasEnded(matches: readonly Match[]): boolean {
  const ended = ({ kept, pod, role }: Match): boolean => kept !== null && isFinished(pod, kept, role)
  const mains = matches.filter(({ role }) => role === 'main')
  return mains.every(ended) || matches.some((match) => match.role === 'init' && ended(match) && match.kept?.exitCode !== 0)
}

function afterEnd({ identity, kept, role }: Match): Verdict | null {
  const reason = 'its pod has ended'
  if (role !== 'sidecar' && role !== 'sandbox') return kept === null ? { kind: 'keep', identity, reason } : null
  return { kind: kept?.state === 'running' ? 'stop' : 'keep', identity, reason }
}

function withoutNetwork(match: Match): Staged {
  const { identity, kept, pod, role } = match
  // an ended sandbox is not started again: see unitsOf
  if (role === 'sandbox') return { match: kept === null || kept.state === 'created' ? match : anew(match, kept), sandbox: null, hold: null }
  if (kept !== null && (kept.state === 'running' || isFinished(pod, kept, role))) {
    return { match, sandbox: null, hold: { kind: 'keep', identity, reason: 'goes on until the network of its pod is back' } }
  }
  return { match, sandbox: null, hold: { kind: 'blocked', identity, reason: 'waits for its pod', cause: cause('pod.waits-for-network') } }
}

/** What was made beside another sandbox has no network any more; what has ended for good needs none. */
function besides(match: Match, sandbox: ObservedContainer): Match {
  const { kept, pod, role } = match
  if (kept === null || role === 'sandbox' || kept.sandbox === sandbox.id || isFinished(pod, kept, role)) return match
  const onlyOnce = role === 'main' && pod.spec.restartPolicy === 'Never' && kept.startedAt !== null
  return onlyOnce ? match : anew(match, kept)
}

function anew(match: Match, kept: ObservedContainer): Match {
  const older = [kept, ...match.duplicates, ...match.older].filter(({ state }) => state !== 'removing')
  return { ...match, kept: null, duplicates: [], older, leaving: match.leaving ?? (kept.state === 'removing' ? kept : null) }
}

function inTurn(staged: readonly Staged[]): readonly Staged[] {
  const begun = staged.some(({ match: { role, kept } }) => role === 'main' && kept !== null && kept.startedAt !== null)
  let waitsFor: string | null = null
  return staged.map((one) => {
    const { identity, role, kept, container, pod } = one.match
    if (role === 'sandbox') return one
    if (begun) return role === 'init' && kept?.state !== 'running' ? { ...one, hold: { kind: 'keep', identity, reason: 'its pod has begun' } } : one
    if (waitsFor !== null && kept?.state !== 'running') {
      const why = cause('pod.waits-for-init', { container: waitsFor })
      return { ...one, hold: { kind: 'blocked', identity, reason: 'waits for its turn', cause: why } }
    }
    const done = role === 'init' ? kept !== null && isFinished(pod, kept, role) : kept?.state === 'running'
    if (role !== 'main' && !done) waitsFor ??= container.name
    return one
  })
}
