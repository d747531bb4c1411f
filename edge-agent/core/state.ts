/** The agent's state, what can happen to it, and what it asks to be done. Only the reducer makes a new state. */
import type { LocalSettings } from './pod-model.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { ClockFacts, ClockTrust } from './clock-trust.ts'
import type { Contact } from './contact-model.ts'
import type { StartingOwner } from './cpu-starting.ts'
import type { CpuTries } from './cpu-lanes.ts'
import type { CronState } from './cron-model.ts'
import type { ImagesWanted, Pulls } from './image-model.ts'
import type { DesiredState, Version } from '../../protocol/desired-state.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import type { LinkWish } from '../../protocol/link.ts'
import type { SessionSeen } from '../../protocol/session.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { VolumeUse } from './scratch-volumes.ts'
import type { OwnSample, OwnUse } from './own-use.ts'
import type { Pressure, PressureSample } from './pressure-model.ts'
import type { ProbeAnswer, ProbeAsk, ProbeKind, Probes } from './probe-model.ts'
import type { ObservedContainer, Step, Lane, Plan, Outcome, EngineInfo } from './model.ts'
import type { Updates } from './update-model.ts'
import type { Ledger, Override, OverrideRequest, SavedState, Loaded } from './saved-model.ts'

/** Since when there is no contact, and what the last try said. */
export interface Outage {
  readonly sinceWallMs: number
  readonly why: string
}
export type LinkState =
  | ({ readonly kind: 'down'; readonly nextTryInMs: number | null } & Outage)
  | { readonly kind: 'connecting'; readonly after?: Outage }
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
  /** what this agent takes of its device; null = not looked at yet */
  readonly own: OwnUse | null
  /** why another agent that is wanted does not run here; null = nothing is wrong */
  readonly release: Cause | null
  /** what the wall clock is worth; see clock-trust */
  readonly clock: ClockTrust
  /** schedules that this device keeps: how far they have come, and their runs */
  readonly cron: CronState
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
  /** how long the device has been without the cloud; absent = not counted yet */
  readonly contact?: Contact | undefined
  /** revisions of pods: which one runs, which one waits, what can be returned to */
  readonly updates?: Updates
  /** what people on site decided for a while, oldest first */
  readonly overrides: readonly Override[]
  readonly overridesSavedAtMonoMs: number | null
  readonly storage: Cause | null
  readonly link: LinkState
  /** what the owner of the device says its link may cost; absent = nothing */
  readonly linkOwn?: LinkWish
  readonly inventory: Inventory | null
  readonly hostIp: string | null
  /** where the page listens; absent = nowhere (yet) */
  readonly page?: { readonly host: string; readonly port: number }
  /** live sessions that are open now */
  readonly sessions: readonly SessionSeen[]
  /** images being fetched, by reference; empty when none */
  readonly pulls?: Pulls
  readonly report: {
    readonly last: StatusReport | null
    readonly seq: number
    readonly sentAtMonoMs: number | null
    readonly dirty: boolean
    /** a document is being carried out: its end is told rather than its beginning */
    readonly heldUntilMonoMs: number | null
  }
  readonly local?: LocalSettings
  /** what of the Services is not as wanted; absent = nothing was said yet */
  readonly serviceFaults?: readonly Cause[]
  /** pods that have folders here, and the digest of the files that this agent session wrote for each */
  readonly volumes?: VolumesSeen
  /** containers that were moved to other CPUs, or could not be; see cpu-lanes */
  readonly cpuTries?: CpuTries
  /** owners of CPUs that a wave worked on which has ended, and nobody has looked since; see cpu-starting */
  readonly ownersUnseen?: readonly StartingOwner[]
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
  /** bytes of emptyDir volumes on disk that have a limit */
  | { readonly kind: 'disk-use'; readonly volumes: VolumeUse }
  | { readonly kind: 'probe-result'; readonly key: string; readonly run: string; readonly probe: ProbeKind; readonly answer: ProbeAnswer }
  | { readonly kind: 'link'; readonly link: LinkState }
  | { readonly kind: 'inventory'; readonly inventory: Inventory; readonly hostIp: string | null }
  | { readonly kind: 'page'; readonly page: { readonly host: string; readonly port: number } }
  | { readonly kind: 'own-use'; readonly sample: OwnSample }
  | { readonly kind: 'agent-release'; readonly cause: Cause | null }
  /** the host was asked about its clock */
  | { readonly kind: 'clock'; readonly facts: ClockFacts }
  /** the cloud said the time just now */
  | { readonly kind: 'cloud-time'; readonly atWallMs: number }
  | { readonly kind: 'pulls'; readonly pulls: Pulls }
  | { readonly kind: 'sessions'; readonly open: readonly SessionSeen[] }
  | { readonly kind: 'services'; readonly causes: readonly Cause[] }
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
