/** What the console shows, as data: one row a thing, whole, replaced when anything in it changes. Environment values have no place here. */

import type { Place } from './place.ts'

export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'unknown'

/** One vocabulary in console, field page, CLI and metrics; tones and order are in `vocabulary.ts`. */
export type DeviceWord = 'online' | 'degraded' | 'offline' | 'never-seen'
/** The worst thing about a device and what runs there: one word, one dot. */
export type Standing = 'failed' | 'not-placed' | 'offline' | 'degraded' | 'updating' | 'never-seen' | 'ok'
export type PodWord =
  | 'pending'
  | 'pulling'
  | 'starting'
  | 'running'
  | 'updating'
  | 'held'
  | 'rolled-back'
  | 'unhealthy'
  | 'restarting'
  | 'stopped'
  | 'removing'
  | 'not-placed'
  | 'unknown'

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
  readonly standing: Standing
  readonly tone: Tone
  /** what is wrong with the device itself, worst first; empty when nothing is */
  readonly causes: readonly CauseView[]
  /** what is wrong with pods there or for there, one entry a cause */
  readonly podCauses: readonly CauseView[]
  /** pods in trouble there */
  readonly troubled: number
  /** what people on site decided for a while */
  readonly held: number
  /** last message from it, wall clock ms of the cloud; null when there was none, or it is not known */
  readonly heardAtMs: number | null
  /** its link is metered: in contact, it may say nothing for so long */
  readonly quietMs?: number
  readonly cordoned: boolean
  readonly arch: string
  readonly os: string
  readonly kernel: string
  readonly engine: string
  readonly agent: string
  readonly address: string
  /** the page that the device itself serves; null = none is known */
  readonly page: { readonly url: string; readonly reachable: boolean } | null
  readonly labels: Readonly<Record<string, string>>
  /** as its Node's annotation says; null = it says nothing */
  readonly place: Place | null
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
  readonly word: 'trouble' | 'unknown' | 'changing' | 'fine'
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
  /** who reported it: a controller, or the agent of a device */
  readonly by: string
  readonly count: number
  readonly atMs: number
}

/** One wave with the numbers of its gate. */
export interface WaveView {
  readonly number: number
  readonly name: string
  readonly state: 'Pending' | 'WaitingApproval' | 'Running' | 'Passed' | 'RolledBack'
  /** members by verdict, and their sum */
  readonly counts: Readonly<Record<string, number>> & { readonly members: number }
  readonly gate: {
    readonly healthyPercent: number
    readonly wantedPercent: number
    readonly base: number
    readonly failures: number
    readonly ended: number
    /** done, failed or under way: what the share of failures is taken of */
    readonly started: number
    readonly maxFailures: number | null
    readonly maxFailurePercent: number | null
    readonly soakSeconds: number
    /** what is measured, and how it stands */
    readonly metrics: readonly {
      readonly says: string
      readonly state: 'Passed' | 'Waits' | 'Missed'
      readonly base: number
      readonly within: number
      readonly outside: number
      readonly unknown: number
      readonly wantedPercent: number
      readonly forSeconds: number
      /** '' = not known */
      readonly value: string
    }[]
  } | null
  readonly waitsFor: CauseView | null
  readonly startedAtMs: number | null
  readonly passedAtMs: number | null
}

export interface RolloutRow {
  /** `<namespace>/<name>` */
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly phase: string
  /** the phase in the words of lists: `waiting-approval` */
  readonly word: string
  readonly tone: Tone
  readonly says: string
  /** what changes, one line a DaemonSet */
  readonly summary: readonly string[]
  readonly counts: WaveView['counts']
  readonly waves: readonly WaveView[]
  readonly releasedWave: number
  /** somebody has to decide */
  readonly waits: 'approval' | 'paused' | null
  readonly sinceMs: number | null
  readonly createdAtMs: number | null
}

/** One act of somebody through the API. */
export interface AuditRow {
  readonly key: string
  readonly atMs: number
  readonly who: string
  readonly verb: string
  /** `rollouts line-2/sensor-2` */
  readonly about: string
  /** of the answer: below 400 it was done */
  readonly status: number
  readonly reason: string
}

export interface Tables {
  readonly devices: DeviceRow
  readonly workloads: WorkloadRow
  readonly pods: PodRow
  readonly events: EventRow
  readonly rollouts: RolloutRow
  readonly audit: AuditRow
}
export type TableName = keyof Tables
