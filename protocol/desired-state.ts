/** Desired state: everything one device should run, whole, with epoch and generation. Never a difference. */
import { LIMITS } from './limits.ts'
import { LINK_WISH } from './link.ts'
import { POD_SPEC } from './pod.ts'
import { IMAGE_RATE } from './pull-rate.ts'
import { digestOf } from './revision.ts'
import { DESIRED_SCHEDULE, RUN_OF } from './schedule.ts'
import { DESIRED_SERVICE } from './services.ts'
import { int, list, map, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'
import { POD_POLICY } from './update-policy.ts'
import { TELEMETRY_WISH } from './telemetry.ts'

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
  /** of pods with several containers: the hash of each, so that a new image of one re-creates only that one; see containerHashes */
  hashes: map(str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' }), { max: 2 * LIMITS.containersPerPod.value + 1 }),
  /** only on the device: the pod of a run that it decided; never in a document */
  run: RUN_OF,
  policy: POD_POLICY,
})

/** A ConfigMap or Secret, reduced to the keys that pods of this device use. Values as the API has them; Secrets in base64. */
export const DESIRED_CONFIG = obj({
  kind: required(oneOf('ConfigMap', 'Secret')),
  namespace: required(str({ min: 1, max: 63 })),
  name: required(str({ min: 1, max: 253 })),
  data: map(str(), { max: LIMITS.configKeys.value }),
  binaryData: map(str(), { max: LIMITS.configKeys.value }),
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

/** The release of the agent itself, fetched from the cloud by its hash. */
export const DESIRED_AGENT = obj({
  version: required(str({ min: 1, max: 64 })),
  sha256: required(str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' })),
  bytes: required(int(1, LIMITS.agentBundleBytes.value)),
})
export type DesiredAgent = Infer<typeof DESIRED_AGENT>

export const DESIRED_STATE = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  epoch: required(int(1)),
  generation: required(int(1)),
  /** RFC 3339, for people only: nothing is decided by it */
  issuedAt: required(str({ max: 40 })),
  /** see desiredDigest */
  digest: required(str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' })),
  pods: required(list(DESIRED_POD, { max: LIMITS.podsPerDevice.value })),
  /** what the pods take values and files from; what is not here does not exist */
  configs: list(DESIRED_CONFIG, { max: LIMITS.configsPerDevice.value }),
  credentials: list(PULL_CREDENTIAL, { max: LIMITS.pullCredentials.value }),
  /** images to have on the device before anything asks to run them */
  prefetch: list(str({ min: 1, max: 512 }), { max: LIMITS.prefetchImages.value }),
  /** how fast images may come; one that is not named is not limited */
  rates: list(IMAGE_RATE, { max: LIMITS.pullRates.value }),
  telemetry: TELEMETRY_WISH,
  /** what its link may cost; absent = the device decides by what it is connected with */
  link: LINK_WISH,
  /** CronJobs that the device keeps by its own clock */
  schedules: list(DESIRED_SCHEDULE, { max: LIMITS.schedulesPerDevice.value }),
  /** which agent should run; absent = whichever does */
  agent: DESIRED_AGENT,
  /** names that its pods may ask for; absent from clouds that knew none */
  services: list(DESIRED_SERVICE, { max: LIMITS.servicesPerDevice.value }),
})

export type Placement = Infer<typeof PLACEMENT>
export type DesiredPod = Infer<typeof DESIRED_POD>
export type DesiredConfig = Infer<typeof DESIRED_CONFIG>
export type PullCredential = Infer<typeof PULL_CREDENTIAL>
export type DesiredState = Infer<typeof DESIRED_STATE>

/** The place of a document in the history of one device. */
export interface Version {
  readonly epoch: number
  readonly generation: number
}

/** Which document it is, not what it says. */
const IDENTITY: ReadonlySet<string> = new Set(['device', 'epoch', 'generation', 'issuedAt', 'digest', 'pods'])

/**
 * Digest of what the device should run; equal digests mean there is nothing to publish. `beside` is the rest of the document, or
 * all of it. Every field that says something counts, also one that this side does not know: devices older than their cloud
 * check its documents all the same.
 */
export function desiredDigest(pods: readonly DesiredPod[], beside: Partial<DesiredState> = {}): string {
  const said = Object.entries(beside).filter(
    ([name, value]) => !IDENTITY.has(name) && value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  if (said.length === 0) return digestOf(pods)
  return digestOf({ credentials: [], prefetch: [], ...Object.fromEntries(said), pods })
}

/** The name under which the pod's own network holder is known: no container can have it. */
export const SANDBOX = 'POD'

/**
 * Hash of what a pod's containers are made from. Placement changes re-create a container; labels and tolerations do not, and
 * neither do scheduling fields, nor data of ConfigMaps and Secrets.
 */
export function podSpecHash(spec: DesiredPod['spec'], placement: Placement | undefined): string {
  return digestOf({ made: madeOf(spec), placement: placement ?? null })
}

/** The hash of each container and of the sandbox, for pods with more than one container; others have the pod's alone. */
export function containerHashes(spec: DesiredPod['spec'], placement: Placement | undefined): DesiredPod['hashes'] {
  const { containers, initContainers = [], volumes = [], ...pod } = madeOf(spec)
  const all = [...initContainers, ...containers]
  if (all.length < 2) return undefined
  const hashOf = (container: (typeof all)[number]): string => {
    const mounted = new Set((container.volumeMounts ?? []).map(({ name }) => name))
    return digestOf({ pod, container, volumes: volumes.filter(({ name }) => mounted.has(name)), placement: placement ?? null })
  }
  const ports = all.flatMap((container) => container.ports ?? [])
  return Object.fromEntries([[SANDBOX, digestOf({ pod, ports })], ...all.map((container) => [container.name, hashOf(container)])])
}

/** What a pod is made from: everything but what may change without new containers. */
function madeOf(spec: DesiredPod['spec']): Partial<DesiredPod['spec']> & Pick<DesiredPod['spec'], 'containers'> {
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
  return made
}
