/** What the console shows, as data: one row a thing, whole, replaced when anything in it changes. Environment values have no place here. */

export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'unknown'

/** One vocabulary in console, field page, CLI and metrics. */
export type DeviceWord = 'online' | 'degraded' | 'offline' | 'never-seen'
export type PodWord = 'pending' | 'pulling' | 'starting' | 'running' | 'unhealthy' | 'restarting' | 'stopped' | 'removing' | 'not-placed' | 'unknown'

/** Why, and one thing to do. `code` and `next` are '' when only a sentence is known. */
export interface CauseView {
  readonly code: string
  readonly says: string
  readonly next: string
}

export interface Amounts {
  readonly cpuMilli: number
  readonly memoryBytes: number
  readonly pids: number
  readonly pods: number
}

export interface DeviceRow {
  readonly name: string
  readonly word: DeviceWord
  readonly tone: Tone
  /** what is wrong, worst first; empty when nothing is */
  readonly causes: readonly CauseView[]
  /** last message from it, wall clock ms of the cloud; null when there was none, or it is not known */
  readonly heardAtMs: number | null
  readonly cordoned: boolean
  readonly arch: string
  readonly os: string
  readonly kernel: string
  readonly engine: string
  readonly agent: string
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
  /** null until the device has told what it has */
  readonly capacity: Amounts | null
  /** what its pods ask for */
  readonly asked: Amounts
}

export interface PodRow {
  /** `<namespace>/<name>` */
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** key of the workload it belongs to */
  readonly workload: string
  /** null while not placed */
  readonly device: string | null
  readonly word: PodWord
  readonly tone: Tone
  readonly cause: CauseView | null
  readonly restarts: number
  readonly image: string
  readonly startedAtMs: number | null
  readonly createdAtMs: number | null
}

export interface WorkloadRow {
  /** `<Kind>/<namespace>/<name>` */
  readonly key: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly image: string
  readonly tone: Tone
  /** one sentence: how it stands */
  readonly says: string
  readonly desired: number
  readonly ready: number
  readonly notPlaced: number
  readonly troubled: number
  readonly createdAtMs: number | null
}

export interface EventRow {
  /** `<namespace>/<name>` */
  readonly key: string
  readonly warning: boolean
  readonly reason: string
  /** `Pod shop/web-1` */
  readonly about: string
  readonly message: string
  readonly count: number
  readonly atMs: number
}

export interface Tables {
  readonly devices: readonly DeviceRow[]
  readonly workloads: readonly WorkloadRow[]
  readonly pods: readonly PodRow[]
  readonly events: readonly EventRow[]
}

export interface Snapshot {
  /** store revision this picture is of */
  readonly revision: number
  readonly tables: Tables
}

/** Rows that changed and keys that are gone, since an earlier revision. Applying it twice changes nothing. */
export interface Delta {
  readonly revision: number
  readonly changed: Partial<Tables>
  readonly gone: { readonly [T in keyof Tables]?: readonly string[] }
}

/** Why a pod is on no device: every rule on every device. */
export interface WhyNotPlaced {
  readonly says: string
  readonly devices: readonly { readonly device: string; readonly source: string; readonly causes: readonly CauseView[] }[]
  /** each was tried: all changes of one entry together would place the pod there */
  readonly changes: readonly { readonly device: string; readonly changes: readonly string[] }[]
}
