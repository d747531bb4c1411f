/** The beginning of a rollout: its templates and members are frozen and stored, and only then it starts. */
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { byAge, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { freeze } from '../core/rollout/freeze.ts'
import { planIdOf } from '../core/rollout/plan.ts'
import { hasEnded } from '../core/rollout/step-input.ts'
import { resolveRelease, summaryOf } from '../core/rollout/templates.ts'
import { chunkName, chunksOf } from '../resources/rollout-members.ts'
import type { ReleaseTemplates, RolloutMember } from '../resources/rollout-members.ts'
import type { Rollout } from '../resources/rollout.ts'
import type { Cluster } from './cluster.ts'
import { candidateOf, podsByNode } from './rollout-facts.ts'
import type { DryRun } from './rollout-room.ts'
import { eraseBeyond, writeChunks, writeRelease, writeStatus } from './rollout-writes.ts'

export interface PrepareDeps {
  readonly cluster: Cluster
  readonly dryRun: DryRun
  readonly clock: { nowMs(): number }
}

export interface StartDeps extends PrepareDeps {
  /** the members of a plan that was shown */
  planned(rollout: Rollout, planId: string): Prepared
}

export type Prepared =
  | { readonly ok: true; readonly parts: readonly ReleaseTemplates[]; readonly members: readonly RolloutMember[] }
  | { readonly ok: false; readonly cause: Cause }

/** True when it began; false when it is blocked, which its status then says. */
export async function prepareRollout(deps: StartDeps, rollout: Rollout): Promise<boolean> {
  const { cluster, clock } = deps
  const { planId, abort } = rollout.spec
  if (abort !== undefined) {
    await writeStatus(cluster, rollout, { ...rollout.status, phase: 'Aborted', message: 'Aborted before it began.' })
    return false
  }
  const prepared = planId === undefined ? frozen(deps, rollout) : (busyWithCause(cluster, rollout) ?? deps.planned(rollout, planId))
  const now = new Date(clock.nowMs()).toISOString()
  if (!prepared.ok) {
    const message = causeSentence(prepared.cause)
    await writeStatus(cluster, rollout, { ...rollout.status, phase: 'Blocked', cause: prepared.cause, message })
    return false
  }
  const chunks = chunksOf(prepared.members)
  if (!(await writeRelease(cluster, rollout, prepared.parts))) return true
  const known = (index: number): readonly RolloutMember[] => {
    const chunk = cluster.rolloutMembers.get(`${namespaceOf(rollout)}/${chunkName(nameOf(rollout), index)}`)
    return chunk?.spec.members ?? []
  }
  const writes = chunks.map((members, index) => ({ name: chunkName(nameOf(rollout), index), index, members, before: known(index) }))
  if (!(await writeChunks(cluster, rollout, writes))) return true
  await eraseBeyond(cluster, rollout, chunks.length)
  const { cause: _cause, message: _message, ...rest } = rollout.status ?? {}
  const summary = Object.fromEntries(prepared.parts.map((part) => [part.daemonSet, summaryOf(part)]))
  await writeStatus(cluster, rollout, {
    ...rest,
    phase: 'Running',
    startedAt: now,
    chunks: chunks.length,
    summary,
    planId: planId ?? planIdOf(rollout.spec, prepared.members),
  })
  return true
}

/** Everything that is decided at the start, without writing anything. */
export function frozen({ cluster, dryRun, clock }: PrepareDeps, rollout: Rollout): Prepared {
  const busy = busyWith(cluster, rollout)
  if (busy !== null) return { ok: false, cause: busy }
  const namespace = namespaceOf(rollout)
  const resolved = resolveRelease(rollout.spec, namespace, (name) => cluster.daemonSets.get(`${namespace}/${name}`))
  if (!resolved.ok) return resolved
  const pods = resolved.parts.map((part) => podsByNode(cluster.pods.by('owner', part.daemonSetUid)))
  const candidates = cluster.nodes.values().map((node) => candidateOf(node, resolved.parts, (part) => pods[part]?.get(nameOf(node)), dryRun))
  const members = freeze(rollout.spec, candidates, clock.nowMs())
  return members.ok ? { ok: true, parts: resolved.parts, members: members.members } : members
}

function busyWithCause(cluster: Cluster, rollout: Rollout): Prepared | null {
  const busy = busyWith(cluster, rollout)
  return busy === null ? null : { ok: false, cause: busy }
}

/** Two rollouts for one DaemonSet would pull it two ways: the older one goes first. */
function busyWith(cluster: Cluster, rollout: Rollout): Cause | null {
  const names = new Set(rollout.spec.release.map(({ daemonSet }) => daemonSet))
  const others = cluster.rollouts
    .values()
    .filter((other) => namespaceOf(other) === namespaceOf(rollout) && uidOf(other) !== uidOf(rollout) && !hasEnded(other.status))
  for (const other of others) {
    const both = other.spec.release.find(({ daemonSet }) => names.has(daemonSet))
    // of two that were made at the same time, one goes first
    const isFirst = other.status?.startedAt !== undefined || (rollout.metadata.uid !== undefined && byAge(other, rollout) < 0)
    if (both !== undefined && isFirst) return cause('rollout.busy', { other: nameOf(other), daemonSet: both.daemonSet })
  }
  return null
}
