/**
 * Drives rollouts. INVARIANTS: one worker a rollout; the status is stored before the members that follow from it, and both
 * only over what was read, so a cloud that dies anywhere takes up the same step, and a second cloud cannot undo it; a burst of
 * reports costs one pass; only chunks with a changed member are written.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { sameJson } from '../../protocol/revision.ts'
import { controllerOf, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { hasEnded } from '../core/rollout/step-input.ts'
import { stepRollout } from '../core/rollout/step.ts'
import type { Step } from '../core/rollout/step.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Node } from '../resources/node.ts'
import { chunkName, chunksOf } from '../resources/rollout-members.ts'
import type { ReleaseTemplates, RolloutMember } from '../resources/rollout-members.ts'
import type { RolloutStatus } from '../resources/rollout-status.ts'
import type { Rollout } from '../resources/rollout.ts'
import { conditionOf } from '../core/meta.ts'
import type { RolloutBook } from './rollout-book.ts'
import { adoptTemplates, eraseMembers, writeChunks, writeStatus } from './rollout-writes.ts'
import { rolloutFacts } from './rollout-facts.ts'
import type { RolloutReadings } from './rollout-readings.ts'
import { planned as plannedMembers } from './rollout-plans.ts'
import { prepareRollout } from './rollout-prepare.ts'
import type { StartDeps } from './rollout-prepare.ts'
import type { DryRun } from './rollout-room.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

const WORKERS = 4

export interface RolloutDeps extends ControllerDeps {
  readonly rollouts: RolloutBook
  readonly dryRun: DryRun
  /** what the gates of waves measure */
  readonly readings: RolloutReadings
}

export function startRolloutController(deps: RolloutDeps): Controller {
  const { cluster, rollouts } = deps
  const controller = runController(deps, 'rollout', (key) => work(deps, controller, key), WORKERS, true)
  const soon = (key: string): void => controller.queue.addAfter(key, LIMITS.rolloutPassMs.value)
  cluster.rollouts.onChange((next, previous) => {
    const rollout = next ?? previous
    if (rollout === null) return
    controller.queue.add(keyOf(rollout))
    if (next !== null && !hasEnded(next.status)) return
    // others may wait for its end
    for (const { daemonSet } of rollout.spec.release) for (const key of rollouts.concerning(namespaceOf(rollout), daemonSet)) soon(key)
  })
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    const owner = pod === null ? null : controllerOf(pod)
    if (pod !== null && owner?.kind === 'DaemonSet') for (const key of rollouts.concerning(namespaceOf(pod), owner.name)) soon(key)
  })
  cluster.daemonSets.onChange((next, previous) => {
    const set = next ?? previous
    if (set !== null && next?.metadata.generation !== previous?.metadata.generation)
      for (const key of rollouts.concerning(namespaceOf(set), nameOf(set))) soon(key)
  })
  cluster.nodes.onChange((next, previous) => {
    if (!sameJson(relevant(next), relevant(previous))) for (const rollout of cluster.rollouts.values()) soon(keyOf(rollout))
  })
  return controller
}

/** What of a node decides about a rollout. */
function relevant(node: Node | null): unknown {
  return node === null ? null : [node.metadata.labels, node.spec?.taints, conditionOf(node.status?.conditions, 'Ready')?.status]
}

async function work(deps: RolloutDeps, controller: Controller, key: string): Promise<number | null> {
  const { cluster, rollouts } = deps
  const rollout = cluster.rollouts.get(key)
  if (rollout === undefined) {
    deps.readings.ask(key, [])
    await eraseMembers(cluster, key)
    return null
  }
  if (cluster.isClosing(namespaceOf(rollout))) return null
  const stored = rollouts.stored(key)
  if (stored === null) {
    const planned: StartDeps['planned'] = (one, planId) => plannedMembers(cluster, one, planId)
    if (await prepareRollout({ ...deps, planned }, rollout)) controller.queue.add(key)
    return null
  }
  if (hasEnded(rollout.status)) deps.readings.ask(key, [])
  if (isSettled(rollout) || isOver(rollout, stored.parts, cluster.daemonSets.values())) return null
  const chunks = rollouts.chunks(rollout)
  const members = chunks.flat()
  const step = stepRollout({
    spec: rollout.spec,
    generation: rollout.metadata.generation ?? 0,
    history: rollout.history ?? [],
    status: rollout.status ?? {},
    members,
    ...rolloutFacts(deps, rollout, stored.parts, stored.memberOf),
    samplesOf: (node) => deps.readings.samples(node),
    listensMs: deps.readings.listensMs,
    nowMs: deps.clock.nowMs(),
  })
  if (!(await store(deps, rollout, stored.parts, chunks, step))) controller.queue.add(key)
  deps.readings.ask(key, step.asks)
  return step.recheckInMs
}

/** Ended, and nobody is left of whom anything could be told: old rollouts cost nothing. */
function isSettled({ status, metadata }: Rollout): boolean {
  if (!hasEnded(status) || status?.observedGeneration !== metadata.generation) return false
  if (status?.adopted !== true && status?.phase !== 'Aborted') return false
  const { members = 0, done = 0, skipped = 0, returned = 0 } = status.counts ?? {}
  return done + skipped + returned === members
}

/** Once adopted, the DaemonSets rule: when they moved on to another template, what this rollout wanted no longer says anything. */
function isOver({ status }: Rollout, parts: readonly ReleaseTemplates[], sets: readonly DaemonSet[]): boolean {
  if (status?.adopted !== true || !hasEnded(status)) return false
  return parts.some((part) => !sameJson(sets.find((set) => uidOf(set) === part.daemonSetUid)?.spec.template, part.next))
}

/** False when somebody wrote in between: the next pass begins with what they wrote. */
async function store(
  deps: RolloutDeps,
  rollout: Rollout,
  parts: readonly ReleaseTemplates[],
  before: readonly (readonly RolloutMember[])[],
  step: Step,
): Promise<boolean> {
  const { cluster, log } = deps
  if (step.adopt) await adoptTemplates(cluster, namespaceOf(rollout), parts)
  const sizes = before.map((chunk) => chunk.length)
  const after = laidOut(step.members, sizes)
  const status: RolloutStatus = { ...step.status, chunks: after.length }
  if (!(await writeStatus(cluster, rollout, status))) return false
  tell(deps, rollout, status)
  const changed = after.flatMap((members, index) => {
    const known = before[index] ?? []
    const same = known.length === members.length && members.every((member, at) => member === known[at])
    return same ? [] : [{ name: chunkName(nameOf(rollout), index), index, members, before: known }]
  })
  const written = await writeChunks(cluster, rollout, changed)
  if (!written) log.warn('members of a rollout were changed by somebody else', { rollout: keyOf(rollout) })
  return written
}

/** Members keep their chunk; late joiners fill up the last one and then new ones. */
function laidOut(members: readonly RolloutMember[], sizes: readonly number[]): readonly (readonly RolloutMember[])[] {
  const kept = sizes.slice(0, -1)
  let from = 0
  const head = kept.map((size) => members.slice(from, (from += size)))
  return [...head, ...chunksOf(members.slice(from))]
}

/** Each new decision of the rules is an event, too. */
function tell({ events }: RolloutDeps, rollout: Rollout, status: RolloutStatus): void {
  const known = rollout.status?.phase
  if (status.phase === known) return
  const type = status.phase === 'Paused' && status.pausedBy === 'rule' ? 'Warning' : 'Normal'
  events.record({ about: rollout, type, reason: status.phase ?? 'Running', message: status.message ?? '', component: 'rollout-controller' })
}
