import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'

/** A volume does not move: pods that use it go where it is. */
export const volumeBinding: FilterPlugin = {
  name: 'VolumeBinding',
  applies: (pod) => (pod.volumeNodes ?? []).length > 0,
  filter: (pod, node) =>
    (pod.volumeNodes ?? [])
      .filter((one) => one.node !== node.name)
      .map((one) => cause('placement.volume.elsewhere', { claim: one.claim, on: one.node })),
}
