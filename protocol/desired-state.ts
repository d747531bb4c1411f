/** Desired state: everything one device should run, whole, with epoch and generation. Never a difference. */
import { LIMITS } from './limits.ts'
import { POD_SPEC } from './pod.ts'
import { digestOf } from './revision.ts'
import { int, list, map, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

/** What the scheduler decided beside the node: travels with the pod and is checked again by the agent. */
export const PLACEMENT = obj({
  /** Linux list format, `0-3,8` */
  cpus: str({ pattern: /^[0-9,-]{1,512}$/, says: 'a cpu list such as 0-3,8' }),
  memoryNodes: str({ pattern: /^[0-9,-]{1,128}$/, says: 'a node list such as 0' }),
  gpus: list(str({ max: 128 }), { max: 64 }),
  /** PID limit of each container of the pod */
  pids: int(1, 4_194_304),
})

export const DESIRED_POD = obj({
  uid: required(str({ pattern: /^[A-Za-z0-9-]{1,64}$/, says: 'a uid' })),
  namespace: required(str({ min: 1, max: 63 })),
  name: required(str({ min: 1, max: 253 })),
  labels: map(str({ max: 63 }), { max: LIMITS.labelsPerObject.value }),
  /** sha256 of what a container of this pod is made from; an equal hash means nothing to change */
  specHash: required(str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' })),
  spec: required(POD_SPEC),
  placement: PLACEMENT,
})

/** What opens a registry: a pull secret of the cloud. Apart from the pods, so that a new password re-creates nothing. */
export const PULL_CREDENTIAL = obj({
  /** `namespace/name` of the Secret */
  secret: required(str({ min: 1, max: 320 })),
  /** registry host with its port, as written in image references */
  registry: required(str({ min: 1, max: 256 })),
  username: required(str({ max: 256 })),
  password: required(str({ max: 8_192 })),
})

export const DESIRED_STATE = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  epoch: required(int(1)),
  generation: required(int(1)),
  /** RFC 3339, for people only: nothing is decided by it */
  issuedAt: required(str({ max: 40 })),
  /** see desiredDigest */
  digest: required(str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' })),
  pods: required(list(DESIRED_POD, { max: LIMITS.podsPerDevice.value })),
  credentials: list(PULL_CREDENTIAL, { max: LIMITS.pullCredentials.value }),
  /** images to have on the device before anything asks to run them */
  prefetch: list(str({ min: 1, max: 512 }), { max: LIMITS.prefetchImages.value }),
})

export type Placement = Infer<typeof PLACEMENT>
export type DesiredPod = Infer<typeof DESIRED_POD>
export type PullCredential = Infer<typeof PULL_CREDENTIAL>
export type DesiredState = Infer<typeof DESIRED_STATE>

/** The place of a document in the history of one device. */
export interface Version {
  readonly epoch: number
  readonly generation: number
}

/** Digest of what the device should run; equal digests mean there is nothing to publish. `beside` is the rest of the document. */
export function desiredDigest(pods: readonly DesiredPod[], beside: Pick<DesiredState, 'credentials' | 'prefetch'> = {}): string {
  const { credentials = [], prefetch = [] } = beside
  return credentials.length + prefetch.length === 0 ? digestOf(pods) : digestOf({ pods, credentials, prefetch })
}

/**
 * Hash of what a container is made from. Placement changes re-create a container; labels and tolerations do not, and
 * neither do scheduling fields.
 */
export function podSpecHash(spec: DesiredPod['spec'], placement: Placement | undefined): string {
  const {
    nodeName: _n,
    nodeSelector: _s,
    tolerations: _t,
    schedulerName: _c,
    priority: _p,
    preemptionPolicy: _e,
    priorityClassName: _l,
    affinity: _a,
    topologySpreadConstraints: _o,
    schedulingGates: _i,
    terminationGracePeriodSeconds: _g,
    restartPolicy: _r,
    imagePullSecrets: _q,
    ...made
  } = spec
  return digestOf({ made, placement: placement ?? null })
}
