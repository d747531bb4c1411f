/** Status report: one retained snapshot of what a device runs and why not more. Sent throttled, whole, never queued. */
import { CAUSE } from './causes.ts'
import { LIMITS } from './limits.ts'
import { OVERRIDE_REPORT } from './override.ts'
import { bool, int, list, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'
import { SCHEDULE_REPORT } from './schedule.ts'
import { SESSION_SEEN } from './session.ts'

/** How far the fetching of an image is; bytes are of compressed layers. */
export const PULL_REPORT = obj({
  attempt: required(int()),
  layersDone: required(int()),
  layersTotal: required(int()),
  bytesDone: required(int()),
  bytesTotal: required(int()),
})

export const CONTAINER_REPORT = obj({
  name: required(str({ max: 63 })),
  image: required(str({ max: 512 })),
  imageId: str({ max: 256 }),
  containerId: str({ max: 128 }),
  /** of its first process, while it runs */
  pid: int(1),
  state: required(oneOf('waiting', 'running', 'terminated')),
  /** Kubernetes' short words: ContainerCreating, CrashLoopBackOff, ErrImagePull, Completed, Error, … */
  reason: str({ max: 128 }),
  message: str({ max: 1024 }),
  exitCode: int(-1, 0xffff_ffff),
  startedAt: str({ max: 40 }),
  finishedAt: str({ max: 40 }),
  pull: PULL_REPORT,
  restartCount: required(int()),
  ready: required(bool()),
  /** running, its postStart hook has ended and its startup probe has passed; absent from older agents */
  started: bool(),
})

/** Why the device does not run the revision that its document asks for, and which one that is. */
export const UPDATE_REPORT = obj({
  reason: required(oneOf('Updating', 'Downloading', 'WindowClosed', 'Locked', 'Held', 'RolledBack')),
  /** spec hash of the revision that is asked for */
  wanted: required(str({ max: 64 })),
  cause: CAUSE,
})

export const POD_REPORT = obj({
  uid: required(str({ max: 64 })),
  namespace: required(str({ max: 63 })),
  name: required(str({ max: 253 })),
  specHash: required(str({ max: 64 })),
  phase: required(oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown')),
  /** the pod's own short reason, when it has one: Evicted */
  reason: str({ max: 128 }),
  ready: required(bool()),
  /** true while its containers are being removed because it is no longer desired */
  removing: bool(),
  containers: required(list(CONTAINER_REPORT, { max: LIMITS.containersPerPod.value })),
  initContainers: list(CONTAINER_REPORT, { max: LIMITS.containersPerPod.value }),
  podIP: str({ max: 64 }),
  cause: CAUSE,
  /** absent = it runs what is asked for, or an older agent */
  update: UPDATE_REPORT,
})

export const VERSION_SEEN = obj({ epoch: required(int()), generation: required(int()), digest: required(str({ max: 64 })) })

export const STATUS_REPORT = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  /** agent session: new at each agent start */
  sid: required(str({ max: 64 })),
  /** counts up within a session */
  seq: required(int()),
  at: required(str({ max: 40 })),
  agentVersion: required(str({ max: 64 })),
  /** the document that is durable on the device and being applied; absent before the first */
  desired: VERSION_SEEN,
  /** true when the plan of that document is empty: the engine matches it */
  converged: required(bool()),
  pods: required(list(POD_REPORT, { max: LIMITS.podsPerDevice.value * 2 })),
  engine: required(obj({ reachable: required(bool()), version: str({ max: 64 }) })),
  /** device level: storage, engine, last refused document… */
  causes: required(list(CAUSE, { max: LIMITS.refusalsKept.value })),
  /** the plan as people read it, first lines */
  plan: list(str({ max: 512 }), { max: 64 }),
  hostIP: str({ max: 64 }),
  /** where the agent's own page listens; absent = it has none, or an older agent */
  page: obj({ host: required(str({ max: 253 })), port: required(int(1, 65_535)) }),
  /** what people on site decided for a while; absent = nothing */
  overrides: list(OVERRIDE_REPORT, { max: LIMITS.overridesKept.value }),
  /** what the agent itself takes: memory, and bytes written to the disk within the last `overMs` (a day at most) */
  own: obj({ rssBytes: required(int()), writtenBytes: int(), overMs: int() }),
  /** schedules that the device keeps, with their runs; absent = it has none */
  schedules: list(SCHEDULE_REPORT, { max: LIMITS.schedulesPerDevice.value }),
  /** live sessions that are open now */
  sessions: list(SESSION_SEEN, { max: LIMITS.sessionsPerDevice.value }),
})

export type ContainerReport = Infer<typeof CONTAINER_REPORT>
export type UpdateReport = Infer<typeof UPDATE_REPORT>
export type PodReport = Infer<typeof POD_REPORT>
export type StatusReport = Infer<typeof STATUS_REPORT>
