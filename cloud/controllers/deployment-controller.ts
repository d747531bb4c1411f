/** Deployments: asks core which ReplicaSets there must be, and writes them. */
import { planDeployment } from '../core/deployment.ts'
import type { DeploymentPlan } from '../core/deployment.ts'
import { REVISION_ANNOTATION } from '../core/deployment-history.ts'
import { conditionOf, controllerOf, isControlledBy, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import type { Deployment } from '../resources/deployment.ts'
import type { Pod } from '../resources/pod.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import type { Cluster } from './cluster.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export function startDeploymentController(deps: ControllerDeps): Controller {
  const { cluster, clock, events } = deps
  const controller = runController(deps, 'deployment', async (key) => {
    const deployment = cluster.deployments.get(key)
    if (deployment === undefined || cluster.isClosing(namespaceOf(deployment))) return null
    const sets = cluster.replicaSets.by('owner', uidOf(deployment))
    const pods = sets.flatMap((set) => cluster.pods.by('owner', uidOf(set)))
    const plan = planDeployment(deployment, sets, pods, { ms: clock.nowMs(), iso: cluster.nowIso() })
    const collided = await writeSets(cluster, deployment, plan, (message) =>
      events.record({ about: deployment, type: 'Normal', reason: 'ScalingReplicaSet', message, component: 'deployment-controller' }),
    )
    await writeDeployment(cluster, key, deployment, plan, collided)
    return plan.recheckInMs
  })
  cluster.deployments.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  const wakeOwner = (set: ReplicaSet): void => {
    const owner = controllerOf(set)
    if (owner?.kind === 'Deployment') controller.queue.add(`${namespaceOf(set)}/${owner.name}`)
  }
  cluster.replicaSets.onChange((next, previous) => {
    const set = next ?? previous
    if (set !== null) wakeOwner(set)
  })
  // Recreate waits for the end of the last old pod; a rollout may wait for a host port that an old pod holds
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    if (pod === null || (next !== null && placed(next) === placed(previous))) return
    const owner = controllerOf(pod)
    const set = owner?.kind === 'ReplicaSet' ? cluster.replicaSets.get(`${namespaceOf(pod)}/${owner.name}`) : undefined
    if (set !== undefined) wakeOwner(set)
  })
  return controller
}

function placed(pod: Pod | null): string | undefined {
  return conditionOf(pod?.status?.conditions, 'PodScheduled')?.status
}

/** True when the new ReplicaSet's name is taken by somebody else's. */
async function writeSets(cluster: Cluster, deployment: Deployment, plan: DeploymentPlan, say: (message: string) => void): Promise<boolean> {
  let collided = false
  if (plan.create !== null) {
    const made = await cluster.create(cluster.replicaSets, plan.create)
    const other = made === null ? cluster.replicaSets.get(keyOf(plan.create)) : undefined
    collided = other !== undefined && !isControlledBy(other, uidOf(deployment))
    if (made !== null) say(`Scaled up replica set ${nameOf(made)} from 0 to ${made.spec.replicas ?? 0}`)
  }
  for (const set of plan.update) {
    const before = cluster.replicaSets.get(keyOf(set))?.spec.replicas ?? 0
    const after = set.spec.replicas ?? 0
    await cluster.change(cluster.replicaSets, keyOf(set), (current) => ({
      ...current,
      metadata: { ...current.metadata, ...(set.metadata.annotations === undefined ? {} : { annotations: set.metadata.annotations }) },
      spec: set.spec,
    }))
    if (before !== after) say(`Scaled ${after > before ? 'up' : 'down'} replica set ${nameOf(set)} from ${before} to ${after}`)
  }
  for (const set of plan.remove) await cluster.remove(cluster.replicaSets, set)
  return collided
}

async function writeDeployment(cluster: Cluster, key: string, read: Deployment, plan: DeploymentPlan, collided: boolean): Promise<void> {
  await cluster.change(cluster.deployments, key, (current) => {
    // a plan for another generation must not claim to have observed this one
    if (current.metadata.generation !== read.metadata.generation || uidOf(current) !== uidOf(read)) return null
    const annotations =
      plan.revision === null ? current.metadata.annotations : { ...current.metadata.annotations, [REVISION_ANNOTATION]: plan.revision }
    const status = collided ? { ...plan.status, collisionCount: (plan.status.collisionCount ?? 0) + 1 } : plan.status
    return { ...current, metadata: { ...current.metadata, ...(annotations === undefined ? {} : { annotations }) }, status }
  })
}
