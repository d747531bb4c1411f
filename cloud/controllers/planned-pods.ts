/** Pods without a device that would go to a certain one as things are: for people who look at that device. */
import type { Placement } from '../../protocol/desired-state.ts'
import type { PodInfo } from '../core/scheduler/framework.ts'
import type { Engine } from '../core/scheduler/schedule.ts'
import type { Pod } from '../resources/pod.ts'

export interface PlannedPod {
  readonly pod: Pod
  readonly placement: Placement
}

/** Waiting pods that are looked at, however many there are. */
const LOOKED_AT = 32

export function plannedPods(
  node: string,
  waiting: Iterable<Pod | undefined>,
  engineOf: (pod: Pod) => Engine | undefined,
  infoOf: (pod: Pod) => PodInfo,
): readonly PlannedPod[] {
  const pods = [...waiting].filter((pod) => pod !== undefined).slice(0, LOOKED_AT)
  return pods.flatMap((pod) => {
    const placement = engineOf(pod)?.wouldPlace(infoOf(pod), node) ?? null
    return placement === null ? [] : [{ pod, placement }]
  })
}
