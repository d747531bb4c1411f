/** `status` of a pod, as Kubernetes has it. */
import { bool, int, list, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { CONDITION } from './object.ts'

const STAMP = str({ max: 40 })

/** One of the three is set. */
export const CONTAINER_STATE = obj({
  waiting: obj({ reason: str({ max: 128 }), message: str({ max: 4096 }) }),
  running: obj({ startedAt: STAMP }),
  terminated: obj({
    exitCode: required(int(Number.MIN_SAFE_INTEGER)),
    signal: int(),
    reason: str({ max: 128 }),
    message: str({ max: 4096 }),
    startedAt: STAMP,
    finishedAt: STAMP,
    containerID: str({ max: 256 }),
  }),
})

export const CONTAINER_STATUS = obj({
  name: required(str({ max: 63 })),
  state: CONTAINER_STATE,
  lastState: CONTAINER_STATE,
  ready: bool(),
  started: bool(),
  restartCount: int(),
  image: str({ max: 512 }),
  imageID: str({ max: 512 }),
  containerID: str({ max: 256 }),
})

const IP = list(obj({ ip: required(str({ max: 64 })) }), { mergeKey: 'ip', max: 16 })

export const POD_STATUS = obj({
  phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
  conditions: list(CONDITION, { mergeKey: 'type', max: 64 }),
  message: str({ max: 4096 }),
  reason: str({ max: 128 }),
  nominatedNodeName: str({ max: 253 }),
  hostIP: str({ max: 64 }),
  hostIPs: IP,
  podIP: str({ max: 64 }),
  podIPs: IP,
  startTime: STAMP,
  qosClass: oneOf('Guaranteed', 'Burstable', 'BestEffort'),
  observedGeneration: int(),
  containerStatuses: list(CONTAINER_STATUS, { max: LIMITS.containersPerPod.value }),
  initContainerStatuses: list(CONTAINER_STATUS, { max: LIMITS.containersPerPod.value }),
})

export type PodStatus = Infer<typeof POD_STATUS>
export type ContainerStatus = Infer<typeof CONTAINER_STATUS>
export type ContainerState = Infer<typeof CONTAINER_STATE>
