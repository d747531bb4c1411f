/**
 * What the field page shows, as data. The server sends exactly this; the page, the text view and tests read it. Nothing of
 * a container's environment, command or credentials has a place in it.
 */
import type { OverrideKind } from '../../protocol/override.ts'
import type { SessionSeen } from '../../protocol/session.ts'
import type { TopologyFacts } from '../../protocol/topology-facts.ts'

/** How a thing stands: ok, on its way, worth a look, broken, not known. Never shown by colour alone. */
export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'unknown'

/** The words for a workload on a device, the same in console, CLI and metrics. `removing` = no longer wanted. */
export type WorkloadWord = 'pending' | 'pulling' | 'starting' | 'running' | 'restarting' | 'stopped' | 'removing' | 'unknown'

/** A reason with everything a person needs: sentence, whether waiting helps, one thing to do. */
export interface CauseView {
  readonly code: string
  readonly says: string
  /** one action for a person */
  readonly next: string
  /** does waiting help? a sentence */
  readonly waiting: string
  /** wall clock ms of the device; null when no try is planned */
  readonly nextTryAtMs: number | null
}

export interface WorkloadView {
  /** what an override of it names; '' when it is no longer wanted and can only go */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly image: string
  readonly word: WorkloadWord
  readonly tone: Tone
  readonly cause: CauseView | null
  /** why it is not yet, or not any more, the revision that is asked for; null = it is */
  readonly update: CauseView | null
  /** how far the fetching of its image is, or '' */
  readonly pull: string
  /** the version before still runs while this one is not there yet */
  readonly olderRuns: boolean
  readonly restarts: number
  /** RFC 3339 as the engine wrote it */
  readonly startedAt: string | null
  /** name to ask the log by; null when there is no container */
  readonly log: string | null
  /** pinned cpus in Linux list format, or '' */
  readonly cpus: string
}

export interface LineView {
  readonly tone: Tone
  readonly says: string
  readonly cause: CauseView | null
  readonly sinceMs: number | null
}

export interface HardwareView {
  /** label and value, in reading order; only what is known */
  readonly facts: readonly (readonly [string, string])[]
  readonly topology: TopologyFacts
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number | null } | null
  readonly disks: readonly { readonly mount: string; readonly sizeBytes: number; readonly usedBytes: number }[]
  readonly findings: readonly string[]
}

export interface ScheduleView {
  readonly name: string
  /** five fields of cron, and the zone when it has its own */
  readonly schedule: string
  /** wall clock ms of the device; null = never, or held */
  readonly lastMs: number | null
  readonly nextMs: number | null
  readonly active: number
  readonly cause: CauseView | null
}

export interface OverrideView {
  readonly id: string
  readonly kind: OverrideKind
  /** `line-2/printer`, or `this device` */
  readonly target: string
  readonly owner: string
  readonly reason: string
  /** wall clock ms of the device */
  readonly endsAtMs: number
}

export interface DoneView {
  readonly atMs: number
  readonly owner: string
  readonly action: string
  readonly target: string
  readonly ok: boolean
  readonly result: string
}

export interface TrafficView {
  readonly todayBytes: number
  /** null = no end */
  readonly budgetBytes: number | null
  readonly channels: Readonly<Record<string, { readonly up: number; readonly down: number }>>
  /** events not yet in the cloud, and those given up for space */
  readonly waiting: number
  readonly dropped: number
  readonly queueBytes: number
  /** reports and inventories that the broker has not acknowledged; absent = there is no link */
  readonly unsent?: number
}

export interface FieldView {
  readonly traffic: TrafficView | null
  /** false = this page only shows */
  readonly canAct: boolean
  readonly overrides: readonly OverrideView[]
  /** what was done on this page, newest first */
  readonly done: readonly DoneView[]
  readonly device: string
  readonly agentVersion: string
  /** wall clock ms of the device when this was made: ages are counted from it, not from the phone's clock */
  readonly atMs: number
  readonly headline: { readonly tone: Tone; readonly says: string; readonly detail: string }
  readonly link: LineView
  readonly engine: LineView
  readonly storage: LineView
  readonly clock: LineView
  /** what the agent itself takes; null = not known yet */
  readonly own: { readonly rssBytes: number; readonly writtenBytes: number | null; readonly overMs: number } | null
  /** schedules that this device keeps */
  readonly schedules: readonly ScheduleView[]
  /** trouble first */
  readonly workloads: readonly WorkloadView[]
  readonly desired: { readonly epoch: number; readonly generation: number; readonly issuedAt: string; readonly pods: number } | null
  readonly plan: readonly string[]
  readonly waitsFor: readonly CauseView[]
  readonly refusals: readonly CauseView[]
  /** open now: who reads logs or works here from outside */
  readonly sessions: readonly SessionSeen[]
  readonly hardware: HardwareView | null
}
