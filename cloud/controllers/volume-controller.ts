/** Gives claims their volume where their first pod was placed, keeps them while they are used, and releases volumes of claims that are gone. */
import { keyOf, nameOf, uidOf } from '../core/meta.ts'
import { boundClaim, claimKeysOf, protectedClaim, volumeFor } from '../core/volume-claims.ts'
import type { Pod } from '../resources/pod.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export function startVolumeController(deps: ControllerDeps): Controller {
  const { cluster } = deps
  const controller = runController(deps, 'volume', async (key) => {
    const users = cluster.pods.by('claim', key)
    const claim = await cluster.change(cluster.claims, key, (current) => protectedClaim(current, users))
    if (claim === null) return null
    if (claim.metadata.deletionTimestamp !== undefined) {
      if ((claim.metadata.finalizers ?? []).length === 0) await cluster.erase(cluster.claims, claim)
      return null
    }
    const made = volumeFor(claim, users)
    if (made === null) return null
    const { volume, node } = made
    // one that a former run of this process made before it could say so has the same name
    if (cluster.volumes.get(`/${nameOf(volume)}`) === undefined) await cluster.create(cluster.volumes, volume)
    await cluster.change(cluster.claims, key, (current) => (uidOf(current) === uidOf(claim) ? boundClaim(current, volume, node) : null))
    deps.events.record({
      about: claim,
      type: 'Normal',
      reason: 'ProvisioningSucceeded',
      message: `Volume ${nameOf(volume)} is on device ${node}`,
      component: 'volume-controller',
    })
    return null
  })
  cluster.claims.onChange((next, previous) => {
    if (next !== null) controller.queue.add(keyOf(next))
    else if (previous?.spec.volumeName !== undefined) void release(deps, previous.spec.volumeName, uidOf(previous))
  })
  cluster.pods.onChange((next, previous) => {
    for (const key of new Set([next, previous].flatMap((pod: Pod | null) => (pod === null ? [] : claimKeysOf(pod))))) controller.queue.add(key)
  })
  return controller
}

/** The data stays on the device: somebody who wants it gone removes the volume there and then the object. */
async function release({ cluster, log }: ControllerDeps, name: string, claimUid: string): Promise<void> {
  try {
    await cluster.change(cluster.volumes, `/${name}`, (volume) =>
      volume.spec.claimRef?.uid === claimUid ? { ...volume, status: { ...volume.status, phase: 'Released' as const } } : null,
    )
  } catch (error) {
    log.warn('a volume could not be released', { volume: name, why: String(error) })
  }
}
