/**
 * DaemonSets: one pod for each device that fits, pinned by annotation and bound by the scheduler. INVARIANT: nothing of a plan is carried
 * out after the template changed, or a rollout said something else: at most the part in hand.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { sameJson } from '../../protocol/revision.ts'
import { countDaemonSet, planDaemonSet } from '../core/daemon-set.ts'
import type { DaemonSetPlan } from '../core/daemon-set.ts'
import { canUpdateInPlace, isInPlace, templateKeys, updatedInPlace } from '../core/in-place.ts'
import { conditionOf, controllerOf, isDeleting, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { podFromTemplate, REVISION_HASH_LABEL } from '../core/pod-template.ts'
import { REQUIRED_NODE_ANNOTATION } from '../core/scheduler/pod-info.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Node } from '../resources/node.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import type { RolloutBook } from './rollout-book.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

const SUFFIX_LENGTH = 5
const WORKERS = 4

export interface DaemonSetDeps extends ControllerDeps {
  readonly rollouts: Pick<RolloutBook, 'overlay' | 'onOverlay'>
  /** devices that are to be told, or to be heard, and that nobody has come to yet */
  readonly backlog: () => number
}

export function startDaemonSetController(deps: DaemonSetDeps): Controller {
  const { cluster, rollouts } = deps
  // how often rollouts said something else about the templates of a set
  const moved = new Map<string, number>()
  const controller = runController(deps, 'daemon-set', (key) => work(deps, controller, key, () => moved.get(key) ?? 0), WORKERS, true)
  cluster.daemonSets.onChange((next, previous) => {
    if (next !== null) controller.queue.add(keyOf(next))
    else if (previous !== null) moved.delete(keyOf(previous))
  })
  rollouts.onOverlay((key) => {
    if (cluster.daemonSets.get(key) !== undefined) moved.set(key, (moved.get(key) ?? 0) + 1)
    controller.queue.add(key)
  })
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    const owner = pod === null ? null : controllerOf(pod)
    if (pod !== null && owner?.kind === 'DaemonSet') controller.queue.add(`${namespaceOf(pod)}/${owner.name}`)
  })
  cluster.nodes.onChange((next, previous) => {
    if (sameJson(relevant(next), relevant(previous))) return
    for (const set of cluster.daemonSets.values()) controller.queue.add(keyOf(set))
  })
  return controller
}

/** Plans and carries out until nothing is left to do. A plan that was overtaken on the way is made anew. */
async function work(deps: DaemonSetDeps, controller: Controller, key: string, moved: () => number): Promise<number | null> {
  const { cluster, clock } = deps
  for (;;) {
    const set = cluster.daemonSets.get(key)
    if (set === undefined || cluster.isClosing(namespaceOf(set))) return null
    const began = moved()
    const holds = (): boolean => moved() === began && isSame(cluster.daemonSets.get(key), set)
    const plan = planDaemonSet(set, cluster.nodes.values(), cluster.pods.by('owner', uidOf(set)), clock.nowMs(), ...wantedBy(deps, set))
    const parts = partsOf(plan)
    let toldMs = clock.monoMs()
    for (const [index, part] of parts.entries()) {
      if (index > 0) await keepPace(deps)
      if (!holds()) break
      if (await carryOut(deps, set, part)) controller.queue.add(key)
      if (clock.monoMs() - toldMs < LIMITS.workPauseMaxMs.value) continue
      await tell(deps, set, count(deps, set).status)
      toldMs = clock.monoMs()
    }
    if (!holds()) continue
    const { status, recheckInMs } = parts.length === 0 ? plan : count(deps, set)
    await tell(deps, set, status)
    return recheckInMs
  }
}

/**
 * A change goes out as fast as devices are told of it and heard again: one that runs ahead keeps all of them waiting at once.
 * Bounded, for a broker that is away.
 */
async function keepPace({ clock, backlog }: DaemonSetDeps): Promise<void> {
  const until = clock.monoMs() + LIMITS.workPauseMaxMs.value
  while (backlog() > LIMITS.podsPerPass.value && clock.monoMs() < until)
    await new Promise<void>((resolve) => void clock.after(LIMITS.workTurnMs.value, resolve))
}

/** Status news do not change what a plan was made for. */
function isSame(now: DaemonSet | undefined, then: DaemonSet): boolean {
  return (
    now !== undefined && uidOf(now) === uidOf(then) && now.metadata.generation === then.metadata.generation && isDeleting(now) === isDeleting(then)
  )
}

function wantedBy({ rollouts }: DaemonSetDeps, set: DaemonSet): readonly [(node: string) => PodTemplate, (node: string) => boolean] {
  const overlay = rollouts.overlay(set)
  return [(node) => overlay?.templateOf(node) ?? set.spec.template, (node) => overlay?.isPaced(node) === true]
}

function count(deps: DaemonSetDeps, set: DaemonSet): ReturnType<typeof countDaemonSet> {
  const { cluster, clock } = deps
  return countDaemonSet(set, cluster.nodes.values(), cluster.pods.by('owner', uidOf(set)), clock.nowMs(), wantedBy(deps, set)[0])
}

async function tell({ cluster }: DaemonSetDeps, set: DaemonSet, status: DaemonSetPlan['status']): Promise<void> {
  await cluster.change(cluster.daemonSets, keyOf(set), (current) =>
    current.metadata.generation === set.metadata.generation && uidOf(current) === uidOf(set)
      ? { ...current, status: { ...current.status, ...status } }
      : null,
  )
}

type Part = Pick<DaemonSetPlan, 'create' | 'update' | 'remove'>

/** A large plan in parts, so that devices and operators are heard between. */
function partsOf({ create, update, remove }: DaemonSetPlan): readonly Part[] {
  const most = LIMITS.podsPerPass.value
  const length = Math.ceil(Math.max(create.length, update.length, remove.length) / most)
  return Array.from({ length }, (_, index) => {
    const [from, to] = [index * most, (index + 1) * most]
    return { create: create.slice(from, to), update: update.slice(from, to), remove: remove.slice(from, to) }
  })
}

/** True when it has to be planned again: a name was taken. */
async function carryOut(deps: DaemonSetDeps, set: DaemonSet, { create, update, remove }: Part): Promise<boolean> {
  const { cluster, events, random } = deps
  const say = (reason: string, message: string): void =>
    events.record({ about: set, type: 'Normal', reason, message, component: 'daemonset-controller' })
  const fresh = create.map(({ node, template, hash }) =>
    podFromTemplate(set, template, {
      suffix: random.suffix(SUFFIX_LENGTH),
      labels: { [REVISION_HASH_LABEL]: hash },
      annotations: { [REQUIRED_NODE_ANNOTATION]: node, ...(isInPlace(set) ? templateKeys(template) : {}) },
    }),
  )
  const made = await Promise.all(fresh.map((pod) => cluster.create(cluster.pods, pod)))
  for (const pod of made) if (pod !== null) say('SuccessfulCreate', `Created pod: ${nameOf(pod)}`)
  await Promise.all(remove.map((pod) => cluster.remove(cluster.pods, pod)))
  for (const pod of remove) say('SuccessfulDelete', `Deleted pod: ${nameOf(pod)}`)
  await Promise.all(update.map((change) => updatePod(deps, change)))
  for (const { pod } of update) say('SuccessfulUpdate', `Updated pod in place: ${nameOf(pod)}`)
  return made.includes(null)
}

async function updatePod({ cluster }: ControllerDeps, { pod, to }: DaemonSetPlan['update'][number]): Promise<void> {
  await cluster.change(cluster.pods, keyOf(pod), (current) =>
    uidOf(current) === uidOf(pod) && !isDeleting(current) && canUpdateInPlace(current, to.template)
      ? cluster.pods.defaults(updatedInPlace(current, to.template, to.hash, cluster.nowIso()))
      : null,
  )
}

/** What of a node decides about daemon pods: everything else changes too often. */
function relevant(node: Node | null): unknown {
  return node === null ? null : [node.metadata.labels, node.spec?.taints, conditionOf(node.status?.conditions, 'Ready')?.status]
}
