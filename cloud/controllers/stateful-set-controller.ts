/** StatefulSets: one step after another, claims before the pods that use them. */
import { controllerOf, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { planStatefulSet } from '../core/stateful-set.ts'
import type { StatefulSetPlan } from '../core/stateful-set.ts'
import type { StatefulSet } from '../resources/stateful-set.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export function startStatefulSetController(deps: ControllerDeps): Controller {
  const { cluster, clock, events } = deps
  const controller = runController(deps, 'stateful-set', async (key) => {
    const set = cluster.statefulSets.get(key)
    if (set === undefined || cluster.isClosing(namespaceOf(set))) return null
    const plan = (of: StatefulSet): StatefulSetPlan => planStatefulSet(of, cluster.pods.by('owner', uidOf(of)), clock.nowMs())
    const say = (reason: string, message: string): void =>
      events.record({ about: set, type: 'Normal', reason, message, component: 'statefulset-controller' })
    const { create, remove } = plan(set)
    for (const { pod, claims } of create) {
      for (const claim of claims) {
        if (cluster.claims.get(keyOf(claim)) !== undefined) continue
        if ((await cluster.create(cluster.claims, claim)) !== null) say('SuccessfulCreate', `Created claim: ${nameOf(claim)}`)
      }
      // somebody else's pod of that name is waited for
      if ((await cluster.create(cluster.pods, pod)) !== null) say('SuccessfulCreate', `Created pod: ${nameOf(pod)}`)
    }
    for (const pod of remove) {
      await cluster.remove(cluster.pods, pod)
      say('SuccessfulDelete', `Deleted pod: ${nameOf(pod)}`)
    }
    const now = plan(set)
    await cluster.change(cluster.statefulSets, key, (current) =>
      current.metadata.generation === set.metadata.generation && uidOf(current) === uidOf(set)
        ? { ...current, status: { ...current.status, ...now.status } }
        : null,
    )
    return now.recheckInMs
  })
  cluster.statefulSets.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    const owner = pod === null ? null : controllerOf(pod)
    if (pod !== null && owner?.kind === 'StatefulSet') controller.queue.add(`${namespaceOf(pod)}/${owner.name}`)
  })
  return controller
}
