import { cause, causeSentence } from '../../../../protocol/causes.ts'
import { controllerOf } from '../../meta.ts'
import type { WorldFilterPlugin } from '../framework.ts'

/** A device that refused a pod of the same owner a moment ago would refuse the next one as well. */
export const recentRefusal: WorldFilterPlugin = {
  name: 'RecentRefusal',
  preFilter(pod, world) {
    const owner = controllerOf(pod.pod)
    const avoided = owner === null ? undefined : world.refusedBy(owner.uid)
    if (avoided === undefined) return null
    return {
      passes: (node) => !avoided.has(node.name),
      filter: (node) => {
        const one = avoided.get(node.name)
        if (one === undefined) return []
        return [cause('placement.refused.recently', { why: causeSentence(one.why), until: new Date(one.untilMs).toISOString() })]
      },
    }
  },
}
