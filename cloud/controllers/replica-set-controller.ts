/** ReplicaSets: creates missing pods, deletes surplus ones, counts the rest. */
import { foundPod } from '../core/lost-pods.ts'
import { controllerOf, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { podFromTemplate } from '../core/pod-template.ts'
import { planReplicaSet } from '../core/replica-set.ts'
import type { Pod } from '../resources/pod.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

/** Pods made in one go; more wait for the next round so that one large set does not hold up the others. */
const BURST = 250
const SUFFIX_LENGTH = 5

export function startReplicaSetController(deps: ControllerDeps): Controller {
  const { cluster, clock, events, random } = deps
  const controller = runController(deps, 'replica-set', async (key) => {
    const set = cluster.replicaSets.get(key)
    if (set === undefined || cluster.isClosing(namespaceOf(set))) return null
    const plan = planReplicaSet(set, cluster.pods.by('owner', uidOf(set)), clock.nowMs())
    const say = (reason: string, message: string): void =>
      events.record({ about: set, type: 'Normal', reason, message, component: 'replicaset-controller' })
    const fresh = Array.from({ length: Math.min(BURST, plan.create) }, () =>
      podFromTemplate(set, set.spec.template, { suffix: random.suffix(SUFFIX_LENGTH) }),
    )
    const made = await Promise.all(fresh.map((pod) => cluster.create(cluster.pods, pod)))
    for (const pod of made) if (pod !== null) say('SuccessfulCreate', `Created pod: ${nameOf(pod)}`)
    await Promise.all(plan.remove.slice(0, BURST).map((pod) => cluster.remove(cluster.pods, pod)))
    for (const pod of plan.remove.slice(0, BURST)) say('SuccessfulDelete', `Deleted pod: ${nameOf(pod)}`)
    for (const pod of plan.found)
      await cluster.change(cluster.pods, keyOf(pod), (current) => (uidOf(current) === uidOf(pod) ? foundPod(current, cluster.nowIso()) : null))
    if (plan.create > BURST || plan.remove.length > BURST || made.includes(null)) controller.queue.add(key)
    const now = planReplicaSet(set, cluster.pods.by('owner', uidOf(set)), clock.nowMs())
    await cluster.change(cluster.replicaSets, key, (current) =>
      current.metadata.generation === set.metadata.generation && uidOf(current) === uidOf(set)
        ? { ...current, status: { ...current.status, ...now.status } }
        : null,
    )
    return now.recheckInMs
  })
  cluster.replicaSets.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  const wakeOwner = (pod: Pod): void => {
    const owner = controllerOf(pod)
    if (owner?.kind === 'ReplicaSet') controller.queue.add(`${namespaceOf(pod)}/${owner.name}`)
  }
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    if (pod !== null) wakeOwner(pod)
  })
  return controller
}
