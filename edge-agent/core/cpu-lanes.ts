/**
 * Lanes that move running containers onto the shared CPUs, apart from their own lanes, and the wait of those who want CPUs
 * for themselves. What was tried and did not show is not tried again at once: an engine that takes the call and does nothing
 * must not be asked without end.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { retryDelayMs } from './backoff.ts'
import { cpuPool, misplaced, ownerWaits } from './cpu-pool.ts'
import type { CpuPool, PoolInput } from './cpu-pool.ts'
import type { StartingOwner } from './cpu-starting.ts'
import { identityOfObserved } from './identity.ts'
import type { Match } from './match.ts'
import type { ObservedContainer, Outcome, Step, Verdict } from './model.ts'
import type { LaneItem } from './order.ts'

/** The last call of this kind on one container. */
export interface CpuTry {
  readonly cpus: string
  readonly failures: number
  readonly notBeforeMonoMs: number
  /** null = the engine took it */
  readonly cause: Cause | null
}

/** By container id. */
export type CpuTries = Readonly<Record<string, CpuTry>>

interface Judged {
  readonly verdicts: readonly Verdict[]
  readonly items: readonly LaneItem[]
}

export interface CpuLanes {
  readonly pool: CpuPool | null
  readonly starting: readonly StartingOwner[]
  readonly judged: readonly Judged[]
}

/** In lane keys, where a spec hash stands. */
const CPUS = 'CPUS'

export function cpuLanes(input: PoolInput, tries: CpuTries, nowMonoMs: number): CpuLanes {
  const pool = cpuPool(input)
  const { starting = [] } = input
  if (pool === null) return { pool, starting, judged: [] }
  const pods = new Map((input.desired?.pods ?? []).map((pod) => [pod.uid, pod]))
  return { pool, starting, judged: misplaced(input.observed, pool, pods).map((found) => judgeOne(found, pool.cpus, tries[found.id], nowMonoMs)) }
}

/** The verdict on a container that wants its pod's own CPUs, when others are still on them. */
export function waitsForCpus(
  match: Match,
  verdict: Verdict,
  observed: readonly ObservedContainer[],
  { pool, starting }: Pick<CpuLanes, 'pool' | 'starting'>,
): Verdict {
  const begins = verdict.kind === 'create' || verdict.kind === 'replace' || verdict.kind === 'start'
  const cpus = match.pod.placement?.cpus
  if (!begins || cpus === undefined || match.role === 'sandbox') return verdict
  const { identity } = match
  if (pool?.shared.size === 0 && verdict.kind !== 'start') {
    const why = cause('placement.cpu.none-left', { needs: cpus })
    return { kind: 'blocked', identity, reason: 'the device cannot take it', cause: why }
  }
  const other = ownerWaits(match.pod, observed, pool, starting)
  if (other === null) return verdict
  const why = cause('placement.cpu.not-yet-free', { needs: cpus, other: nameOf(other) })
  return { kind: 'blocked', identity, reason: 'its CPUs are not its own yet', cause: why }
}

function nameOf(other: ObservedContainer | StartingOwner): string {
  return 'podName' in other ? `${other.namespace}/${other.podName}` : `pod ${other.podUid}, whose start is on the way`
}

/** What a call taught. A call that was taken and does not show is repeated only after the idle look. */
export function noteCpuTry(
  tries: CpuTries,
  step: Extract<Step, { kind: 'set-cpus' }>,
  outcome: Outcome,
  there: readonly string[],
  nowMonoMs: number,
): CpuTries {
  const failures = outcome.ok ? 0 : (tries[step.target]?.failures ?? 0) + 1
  const waitMs = outcome.ok ? LIMITS.observeIdleMs.value : retryDelayMs(failures, step.key)
  const known = new Set([...there, step.target])
  const kept = Object.entries(tries).filter(([id]) => known.has(id))
  const tried: CpuTry = { cpus: step.cpus, failures, notBeforeMonoMs: nowMonoMs + waitMs, cause: outcome.ok ? null : outcome.cause }
  return { ...Object.fromEntries(kept), [step.target]: tried }
}

function judgeOne(found: ObservedContainer, cpus: string, tried: CpuTry | undefined, nowMonoMs: number): Judged {
  if (tried !== undefined && tried.notBeforeMonoMs > nowMonoMs && tried.cpus === cpus) {
    const why = tried.cause ?? cause('container.cpus.failed', { cpus, why: 'the engine took the call, and the container runs elsewhere' })
    const { notBeforeMonoMs } = tried
    const verdict: Verdict = {
      kind: 'blocked',
      identity: identityOfObserved(found),
      reason: 'runs on, on CPUs that are not its',
      cause: why,
      notBeforeMonoMs,
    }
    return { verdicts: [verdict], items: [] }
  }
  const key = `${found.podUid}/${found.containerName}/${CPUS}`
  const lane = { key, steps: [{ kind: 'set-cpus', key, target: found.id, cpus } satisfies Step] }
  return { verdicts: [], items: [{ lane, kind: 'start', claims: [], frees: null }] }
}
