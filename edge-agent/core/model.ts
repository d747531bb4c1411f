/**
 * The agent's whole vocabulary on one page. Everything here is plain data: states, plans and effects can be printed,
 * compared, sent up and replayed.
 */
import type { LocalSettings, PlannedMount, PlannedVariable, PodVolumes } from './pod-model.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { ImagesWanted, ImageUse, Pulls } from './image-model.ts'
import type { DesiredPod, DesiredState, Placement, PullCredential, Version } from '../../protocol/desired-state.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import type { OverrideKind } from '../../protocol/override.ts'
import type { ContainerSpec, PodSpec } from '../../protocol/pod.ts'
import type { PodSecurityContext } from '../../protocol/pod-security.ts'
import type { LifecycleHandler } from '../../protocol/probe.ts'
import type { SessionSeen } from '../../protocol/session.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { Pressure, PressureSample } from './pressure-model.ts'
import type { ProbeAction, ProbeAnswer, ProbeAsk, ProbeKind, Probes } from './probe-model.ts'

/** Time as an argument. `monoMs` never jumps and decides everything; `wallMs` is only shown to people. */
export interface Now {
  readonly monoMs: number
  readonly wallMs: number
}

/** What the engine says about one container that carries our device label. */
export interface ObservedContainer {
  readonly id: string
  readonly name: string
  readonly podUid: string
  readonly specHash: string
  readonly namespace: string
  readonly podName: string
  readonly containerName: string
  readonly image: string
  readonly imageId: string | null
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead' | 'removing'
  readonly exitCode: number | null
  readonly oomKilled: boolean
  /** RFC 3339 as the engine wrote it; null when never started */
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** the engine's own error text of the last start, or '' */
  readonly error: string
  readonly ip: string | null
  /** the grace period it was made with, when the engine tells: a pod that is no longer desired took its spec with it */
  readonly graceSeconds?: number
  /** hook to run before it is stopped; it was written on the container for the same reason */
  readonly preStop?: LifecycleHandler
  /** id of the sandbox that it was made beside */
  readonly sandbox?: string
}

/** Containers are named `skerry-<namespace>-<pod>-<container>-<uid8>-<hash8>` so that no two agents can make the same twice. */
export interface ContainerIdentity {
  readonly podUid: string
  readonly specHash: string
  readonly namespace: string
  readonly podName: string
  readonly containerName: string
  readonly name: string
}

/** Everything needed to make one container; engine-neutral. */
export interface ContainerPlan {
  readonly identity: ContainerIdentity
  readonly device: string
  readonly container: ContainerSpec
  readonly pod: {
    readonly hostNetwork: boolean
    readonly hostname: string | null
    readonly pidsLimit: number
    readonly graceSeconds: number
    readonly labels: Readonly<Record<string, string>>
    readonly security?: PodSecurityContext
    readonly hostAliases?: PodSpec['hostAliases']
    /** only: nothing of the host's settings is added */
    readonly dns?: NonNullable<PodSpec['dnsConfig']> & { readonly only: boolean }
  }
  /** resolved; never in a log. Absent = none */
  readonly env?: readonly PlannedVariable[]
  readonly mounts?: readonly PlannedMount[]
  /** holder = it is its pod's sandbox; join = beside the sandbox of that id; absent = a network of its own */
  readonly network?: 'holder' | { readonly join: string }
  readonly placement: Placement | null
  /** the release that its image is pinned for, see image-use */
  readonly release?: string
}

export type VerdictKind = 'keep' | 'adopt' | 'create' | 'replace' | 'start' | 'stop' | 'remove' | 'blocked'

export interface Verdict {
  readonly kind: VerdictKind
  readonly identity: ContainerIdentity
  /** one short sentence: why this and not another */
  readonly reason: string
  /** for blocked */
  readonly cause?: Cause
  /** for stop: another grace period than the pod's */
  readonly graceSeconds?: number
  /** for blocked by time: the monotonic moment when it may be tried again */
  readonly notBeforeMonoMs?: number
}

/** One engine action. Containers that exist are named by id, new ones by their unique name. */
export type Step =
  | {
      readonly kind: 'ensure-image'
      readonly key: string
      readonly image: string
      readonly policy: 'Always' | 'IfNotPresent' | 'Never'
      readonly use?: ImageUse
    }
  | { readonly kind: 'create'; readonly key: string; readonly plan: ContainerPlan }
  | { readonly kind: 'start'; readonly key: string; readonly target: string }
  | { readonly kind: 'stop'; readonly key: string; readonly target: string; readonly graceSeconds: number; readonly preStop?: ProbeAction }
  | { readonly kind: 'remove'; readonly key: string; readonly target: string }
  /** makes files and folders of a pod ready, or new; equal files are left alone */
  | { readonly kind: 'prepare-volumes'; readonly key: string; readonly volumes: PodVolumes }
  | { readonly kind: 'drop-volumes'; readonly key: string; readonly podUid: string }

/** Steps of one container in order; the first failure ends the lane. `key` is the ledger key. */
export interface Lane {
  readonly key: string
  readonly steps: readonly Step[]
}

/** Lanes of a wave run together (bounded); waves run one after another with an observation between them. */
export interface Plan {
  readonly verdicts: readonly Verdict[]
  readonly waves: readonly (readonly Lane[])[]
  /** what an unfinished plan waits for, when no lane can run now */
  readonly waitsFor: readonly Cause[]
  /** the earliest monotonic moment at which planning again may give another answer; null = only news can */
  readonly nextAtMonoMs: number | null
}

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly cause: Cause }

/** Attempts and failures of one container (`<uid>/<container>/<hash8>`). Durations only: absolute times do not survive a reboot. */
export interface LedgerEntry {
  /** engine steps that failed since the last one that helped */
  readonly failures: number
  /** exits that were followed by a restart, ever: what people see as restart count */
  readonly restarts: number
  /** exits since it last ran well for a while: decides the restart backoff; never above `restarts` */
  readonly crashes: number
  readonly lastCause: Cause | null
  /** monotonic; null = now */
  readonly notBeforeMonoMs: number | null
  /** monotonic moment since which it has been seen running; null when it is not running */
  readonly runningSinceMonoMs: number | null
  /** the engine's `finishedAt` of the exit that was counted last: one exit is counted once */
  readonly countedExit: string | null
  /** the run (by its start time) that has started up, and whether it was ever ready; null = none with probes */
  readonly probed: Probed | null
}
export interface Probed {
  readonly startedAt: string
  readonly ready: boolean
}
export type Ledger = Readonly<Record<string, LedgerEntry>>

/** What a person on site decided for a while; see core/overrides.ts. */
export interface Override {
  readonly id: string
  readonly kind: OverrideKind
  /** null = the whole device */
  readonly pod: { readonly uid: string; readonly namespace: string; readonly name: string } | null
  readonly owner: string
  readonly reason: string
  /** shown only */
  readonly sinceWallMs: number
  readonly untilMonoMs: number
  /** restart: the containers that are to go once, with the start that is to end; a container with another start is done */
  readonly restarts: Readonly<Record<string, string>>
}

/** What is asked for on the device page; `id` is new. */
export interface OverrideRequest {
  readonly id: string
  readonly kind: OverrideKind
  /** uid of a desired pod; null = the whole device */
  readonly podUid: string | null
  readonly owner: string
  readonly reason: string
  readonly forMs: number
}

/** An override on disk: durations only. */
export type SavedOverride = Omit<Override, 'untilMonoMs'> & { readonly remainingMs: number }

/** What is on disk. `failures` is the larger of an entry's failures and crashes. `floor` is the highest pair ever persisted and never goes down. */
export interface SavedState {
  /** absent in files of agents that knew none */
  readonly overrides?: readonly SavedOverride[]
  readonly desired: DesiredState | null
  readonly floor: Version | null
  readonly ledger: Readonly<Record<string, SavedEntry>>
  /** pods given up for want of something, by uid; absent in files of agents that knew none */
  readonly evicted?: Pressure['evicted']
}
export interface SavedEntry {
  readonly failures: number
  readonly restarts: number
  readonly remainingMs: number
  readonly countedExit: string | null
  readonly probed?: Probed
}

/** none = a new device; unknown = there was a state and it cannot be read: keep everything, remove nothing. */
export type Loaded =
  | { readonly kind: 'state'; readonly state: SavedState; readonly fellBack: boolean }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly floor: Version | null; readonly why: string }

export interface EngineInfo {
  readonly version: string
  readonly apiVersion: string
  readonly cgroup: string
  readonly storageDriver: string
  readonly runtimes: readonly string[]
  /** folder with the images and containers, when the engine tells */
  readonly dataRoot?: string
}

export type LinkState =
  | { readonly kind: 'down'; readonly sinceWallMs: number; readonly why: string; readonly nextTryInMs: number | null }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'up'; readonly sinceWallMs: number }
  | { readonly kind: 'disabled' }

/** The reducer's own book-keeping: what is in flight, how fresh the observation is, when to try again (all monotonic). */
export interface Timing {
  readonly observedAtMonoMs: number | null
  /** the stored observation began after the last wave ended: it may be acted on */
  readonly fresh: boolean
  /** the observation in flight began before the last wave ended: it is shown, not acted on */
  readonly inFlightStale: boolean
  readonly observeFailures: number
  readonly observeRetryAtMonoMs: number | null
  readonly saveInFlight: boolean
  readonly saveFailures: number
  readonly saveRetryAtMonoMs: number | null
  /** the ledger on disk is older than the one in memory */
  readonly ledgerDirty: boolean
  readonly ledgerSavedAtMonoMs: number | null
  readonly wakeAtMonoMs: number | null
}

export interface VolumesSeen {
  readonly pods: readonly string[]
  readonly written: Readonly<Record<string, string>>
}

export interface RunningWave {
  readonly id: number
  readonly lanes: readonly Lane[]
  readonly aborted: boolean
}

export interface AgentState {
  readonly device: string
  readonly sid: string
  readonly agentVersion: string
  /** loading until the state file was read; see Loaded */
  readonly knowledge: 'loading' | 'known' | 'none' | 'unknown'
  readonly desired: DesiredState | null
  readonly floor: Version | null
  /** accepted but not yet durable: nothing of it is acted on */
  readonly saving: DesiredState | null
  /** a newer one that arrived while saving; only the newest is kept */
  readonly nextToSave: DesiredState | null
  readonly observed: readonly ObservedContainer[] | null
  readonly observing: boolean
  readonly observeAgain: boolean
  readonly engine: { readonly reachable: boolean; readonly sinceWallMs: number; readonly info: EngineInfo | null; readonly cause: Cause | null }
  readonly ledger: Ledger
  readonly probes: Probes
  readonly pressure: Pressure
  readonly plan: Plan
  /** the wave being run; null when none. Its lanes are quick: they need no image */
  readonly wave: RunningWave | null
  /** lanes that begin with an image may take half an hour: they run beside, never on a container of another running wave */
  readonly imageWaves: readonly RunningWave[]
  readonly waveCount: number
  readonly refusals: readonly Cause[]
  /** what people on site decided for a while, oldest first */
  readonly overrides: readonly Override[]
  readonly overridesSavedAtMonoMs: number | null
  readonly storage: Cause | null
  readonly link: LinkState
  readonly inventory: Inventory | null
  readonly hostIp: string | null
  /** live sessions that are open now */
  readonly sessions: readonly SessionSeen[]
  /** images being fetched, by reference; empty when none */
  readonly pulls?: Pulls
  readonly report: { readonly last: StatusReport | null; readonly seq: number; readonly sentAtMonoMs: number | null; readonly dirty: boolean }
  readonly local?: LocalSettings
  /** pods that have folders here, and the digest of the files that this agent session wrote for each */
  readonly volumes?: VolumesSeen
  /** container ids seen before this agent session began to act: first keep of each is called adopt */
  readonly adopted: readonly string[]
  readonly timing: Timing
}

export type AgentEvent =
  | { readonly kind: 'loaded'; readonly loaded: Loaded }
  | { readonly kind: 'target'; readonly desired: DesiredState }
  | { readonly kind: 'target-refused'; readonly cause: Cause }
  | { readonly kind: 'saved'; readonly epoch: number; readonly generation: number }
  | { readonly kind: 'save-failed'; readonly cause: Cause }
  /** volumePods: pods that have folders on this device; absent = not known */
  | { readonly kind: 'observed'; readonly containers: readonly ObservedContainer[]; readonly volumePods?: readonly string[] }
  | { readonly kind: 'observe-failed'; readonly cause: Cause }
  | { readonly kind: 'engine-info'; readonly info: EngineInfo }
  | { readonly kind: 'engine-event' }
  | { readonly kind: 'step-done'; readonly wave: number; readonly step: Step; readonly outcome: Outcome }
  | { readonly kind: 'wave-done'; readonly wave: number }
  /** sent only while something is short, or was */
  | { readonly kind: 'pressure'; readonly sample: PressureSample }
  | { readonly kind: 'probe-result'; readonly key: string; readonly run: string; readonly probe: ProbeKind; readonly answer: ProbeAnswer }
  | { readonly kind: 'link'; readonly link: LinkState }
  | { readonly kind: 'inventory'; readonly inventory: Inventory; readonly hostIp: string | null }
  | { readonly kind: 'pulls'; readonly pulls: Pulls }
  | { readonly kind: 'sessions'; readonly open: readonly SessionSeen[] }
  /** the cloud asks for a full report (command, or a broker that lost it) */
  | { readonly kind: 'report-asked' }
  | { readonly kind: 'override'; readonly request: OverrideRequest }
  | { readonly kind: 'override-end'; readonly id: string }
  | { readonly kind: 'tick' }

export type Effect =
  | { readonly kind: 'save'; readonly state: SavedState; readonly version: Version | null }
  | { readonly kind: 'observe' }
  | { readonly kind: 'run-wave'; readonly wave: number; readonly lanes: readonly Lane[] }
  | { readonly kind: 'abort-wave'; readonly wave: number }
  | { readonly kind: 'probe'; readonly ask: ProbeAsk }
  | { readonly kind: 'publish-status'; readonly report: StatusReport }
  | { readonly kind: 'publish-inventory'; readonly inventory: Inventory }
  | { readonly kind: 'want-images'; readonly wanted: ImagesWanted }
  | { readonly kind: 'wake-at'; readonly monoMs: number }
  | {
      readonly kind: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly msg: string
      readonly fields?: Readonly<Record<string, string | number>>
    }

export type { ContainerSpec, DesiredPod, DesiredState, Placement, PullCredential, Version }
export type { ImagesWanted, ImageUse, PullProgress, Pulls } from './image-model.ts'
