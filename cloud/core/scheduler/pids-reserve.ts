import type { ReservePlugin } from './framework.ts'
import { containerPids } from './pod-requests.ts'

/** PID limit of the pod's containers. */
export const pidsReserve: ReservePlugin = {
  name: 'Pids',
  reserve: ({ pod }) => ({ pids: containerPids(pod.spec, pod.spec.containers[0]?.resources) }),
}
