/** DaemonSets: one pod for each device that fits, pinned by annotation and bound by the scheduler. */
import { LIMITS } from '../../protocol/limits.ts'
import { sameJson } from '../../protocol/revision.ts'
import { planDaemonSet } from '../core/daemon-set.ts'
import type { DaemonSetPlan } from '../core/daemon-set.ts'
import { canUpdateInPlace, isInPlace, templateKeys, updatedInPlace } from '../core/in-place.ts'
import { conditionOf, controllerOf, isDeleting, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { podFromTemplate, REVISION_HASH_LABEL } from '../core/pod-template.ts'
import { REQUIRED_NODE_ANNOTATION } from '../core/scheduler/pod-info.ts'
import type { Node } from '../resources/node.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import type { RolloutBook } from './rollout-book.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

const SUFFIX_LENGTH = 5
const WORKERS = 4

export interface DaemonSetDeps extends ControllerDeps {
  readonly rollouts: Pick<RolloutBook, 'overlay' | 'onOverlay'>
}

export function startDaemonSetController(deps: DaemonSetDeps): Controller {
  const { cluster, clock, events, random, rollouts } = deps
  const work = async (key: string): Promise<number | null> => {
    const set = cluster.daemonSets.get(key)
    if (set === undefined || cluster.isClosing(namespaceOf(set))) return null
    const plan = (): DaemonSetPlan => {
      const overlay = rollouts.overlay(set)
      const templateOf = (node: string): PodTemplate => overlay?.templateOf(node) ?? set.spec.template
      const isPaced = (node: string): boolean => overlay?.isPaced(node) === true
      return planDaemonSet(set, cluster.nodes.values(), cluster.pods.by('owner', uidOf(set)), clock.nowMs(), templateOf, isPaced)
    }
    const say = (reason: string, message: string): void =>
      events.record({ about: set, type: 'Normal', reason, message, component: 'daemonset-controller' })
    const { create, update, remove, more } = burstOf(plan())
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
    if (more || made.includes(null)) controller.queue.add(key)
    const { status, recheckInMs } = plan()
    await cluster.change(cluster.daemonSets, key, (current) =>
      current.metadata.generation === set.metadata.generation && uidOf(current) === uidOf(set)
        ? { ...current, status: { ...current.status, ...status } }
        : null,
    )
    return recheckInMs
  }
  const controller = runController(deps, 'daemon-set', work, WORKERS, true)
  cluster.daemonSets.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  rollouts.onOverlay((key) => controller.queue.add(key))
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

/** The first part of a large plan; the rest is planned anew in the next pass, so that devices and operators are heard between. */
function burstOf({ create, update, remove }: DaemonSetPlan): Pick<DaemonSetPlan, 'create' | 'update' | 'remove'> & { readonly more: boolean } {
  const most = LIMITS.podsPerPass.value
  return {
    create: create.slice(0, most),
    update: update.slice(0, most),
    remove: remove.slice(0, most),
    more: Math.max(create.length, update.length, remove.length) > most,
  }
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
