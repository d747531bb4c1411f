/** The narrow interfaces through which the agent's rooms meet in `main.ts`. Fakes implement the same and pass the same contract suites. */
import type { PodVolumes } from './core/pod-model.ts'
import type { DesiredState, Version } from '../protocol/desired-state.ts'
import type { DeviceEvents, DeviceHappening } from '../protocol/events.ts'
import type { Hello } from '../protocol/presence.ts'
import type { Inventory } from '../protocol/inventory.ts'
import type { SessionRequest } from '../protocol/session.ts'
import type { StatusReport } from '../protocol/status-report.ts'
import type { Telemetry, TelemetryLook, TelemetrySample } from '../protocol/telemetry.ts'
import type { ContainerPlan, EngineInfo, ImagesWanted, ImageUse, Now, ObservedContainer, Outcome, PullTotals } from './core/model.ts'
import type { Loaded, SavedState } from './core/saved-model.ts'
import type { LinkState } from './core/state.ts'
import type { ImageRecord } from './core/image-record.ts'
import type { Cause } from '../protocol/causes.ts'
import type { PlannedNetwork } from './core/service-model.ts'
import type { Traffic } from './core/data-budget.ts'
import type { LinkPace } from './core/link-pace.ts'

export interface Clock {
  now(): Now
  /** calls back once at or after the monotonic moment; the returned function cancels */
  at(monoMs: number, run: () => void): () => void
}

export interface Random {
  /** uniform in [0, 1) */
  next(): number
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>
export interface Log {
  info(msg: string, fields?: LogFields): void
  warn(msg: string, fields?: LogFields): void
  error(msg: string, fields?: LogFields): void
}

/** Which part of a container's log; absent = all of it, up to now. */
export interface LogsAsked {
  readonly follow?: boolean
  /** the runs before the current one */
  readonly previous?: boolean
  readonly timestamps?: boolean
  readonly tailLines?: number
  readonly sinceSeconds?: number
  /** RFC 3339 */
  readonly sinceTime?: string
}

/** An open way into a container. Its reader sets the pace; whoever opened it closes it. */
export interface LiveStream {
  /** ends when the other side has nothing more to say; never throws */
  readonly output: AsyncIterable<{ readonly stream: 1 | 2; readonly bytes: Uint8Array }>
  /** resolves when more may be written; what is written after the end is dropped */
  write(bytes: Uint8Array): Promise<void>
  endInput(): void
  resize(columns: number, rows: number): Promise<void>
  /** after the output has ended; null when there is none to tell */
  exitCode(): Promise<number | null>
  close(): void
}
export type LiveOpened = { readonly ok: true; readonly stream: LiveStream } | { readonly ok: false; readonly cause: Cause }

export type ExecOutcome =
  | { readonly ok: true; readonly exitCode: number; readonly output: string; readonly timedOut: boolean }
  | { readonly ok: false; readonly cause: Cause }

/**
 * The container engine. Every call ends within the limits table's time; a failure is a value with a cause, never a throw,
 * except `observe` and `info`, which reject when the engine does not answer.
 */
export interface Engine {
  info(): Promise<EngineInfo>
  /** every container that carries this device's label, in any state; others are never seen */
  observe(): Promise<readonly ObservedContainer[]>
  ensureImage(image: string, policy: 'Always' | 'IfNotPresent' | 'Never', signal: AbortSignal, use?: ImageUse): Promise<Outcome>
  /** credentials, prefetch and what must be kept, from now on */
  wantImages?(wanted: ImagesWanted): void
  /** bytes of each container's writable layer by id; the engine walks files for it. Rejects when it does not answer */
  layerSizes?(): Promise<Readonly<Record<string, number>>>
  /** removes images that neither a container, the desired state nor a rollback needs; never rejects */
  reclaimImages?(): Promise<void>
  /** for metrics */
  pullTotals?(): PullTotals
  /** a container of that name that exists already is success: the next observation shows it */
  create(plan: ContainerPlan): Promise<Outcome>
  /** CPUs it may run on from now on, running or not, without a restart; an absent container is success */
  setCpus(target: string, cpus: string): Promise<Outcome>
  /** starting a running container is success */
  start(target: string): Promise<Outcome>
  /** stopping a stopped or absent container is success */
  stop(target: string, graceSeconds: number): Promise<Outcome>
  /** removing an absent container is success; a running one is refused by the engine */
  remove(target: string): Promise<Outcome>
  /** removes the engine's volumes of a pod that is gone; those of claims stay */
  dropVolumes(podUid: string): Promise<Outcome>
  /**
   * Runs a program in a running container and waits for its end. `timedOut`: it was still running at the deadline, and is ended
   * where the engine allows. An engine that could not run it answers with a cause.
   */
  exec(target: string, argv: readonly string[], timeoutMs: number): Promise<ExecOutcome>
  /** last lines of a container's log, oldest first */
  logs(target: string, lines: number): Promise<string>
  /** wakes on any change of our containers and when the engine comes back; reconnects by itself; the result stops it */
  watch(onChange: () => void): () => void
}

/** Networks that the agent makes: adopted by name and label, and never those of others. */
export interface NetworkEngine {
  /** makes those that are missing; what could not be had. Rejects when the engine does not answer */
  ensureNetworks(wanted: readonly PlannedNetwork[]): Promise<readonly Cause[]>
  /** takes away those of this device that are not in `wanted` (names) and that nobody uses; false = one stayed */
  dropNetworks(wanted: ReadonlySet<string>): Promise<boolean>
}

/** The engine's ways into a running container. As with `Engine`, opening ends by a deadline and a failure is a value. */
export interface LiveEngine {
  /** runs a program in a running container */
  openExec(target: string, program: { readonly argv: readonly string[]; readonly stdin: boolean; readonly tty: boolean }): Promise<LiveOpened>
  /** output of a container from now on, and its input when it has one */
  openAttach(target: string, wanted: { readonly stdin: boolean }): Promise<LiveOpened>
  openLogs(target: string, asked: LogsAsked): Promise<LiveOpened>
  /** one TCP connection to a port of a running container */
  openPort(target: string, port: number): Promise<LiveOpened>
}

/** Folders and files of pods. Files of Secrets are never on disk. */
export interface Volumes {
  /** pods that have a folder here; null when that cannot be read, and nothing follows from it */
  pods(): Promise<readonly string[] | null>
  /** makes them as planned: each folder of files changes as a whole or not at all */
  prepare(volumes: PodVolumes): Promise<Outcome>
  /** removing what is not there is success */
  drop(podUid: string): Promise<Outcome>
}

/** The durable state file. `save` resolves only when the bytes and the directory entry are on the medium. */
export interface StateStore {
  load(): Promise<Loaded>
  /** raises the floor first when `version` is given, so that a fall-back can never lower it */
  save(state: SavedState, version: Version | null): Promise<void>
}

/** Where the image record is kept; see core/image-record. `load` rejects when what was saved cannot be read. */
export interface ImageRecordStore {
  load(): Promise<ImageRecord | null>
  save(record: ImageRecord): Promise<void>
}

/** Events on disk until the cloud has them. Nothing here blocks or fails its caller. */
export interface EventQueue {
  record(event: DeviceHappening): void
  /** the oldest, at most `max`; rejects when the disk does not read */
  next(max: number): Promise<readonly { readonly seq: number; readonly event: DeviceHappening }[]>
  ack(seq: number): Promise<void>
  stats(): { readonly stream: string; readonly bytes: number; readonly waiting: number; readonly dropped: number }
  stop(): Promise<void>
}

/** Readings on disk until the cloud has them: thinned out before any is lost. Every method rejects when the disk refuses. */
export interface TelemetryQueue {
  store(samples: readonly TelemetrySample[]): Promise<void>
  /** the oldest, at most `max`; `done` gives them up */
  next(max: number): Promise<{ readonly samples: readonly TelemetrySample[]; done(): Promise<void> } | null>
  stats(): { readonly bytes: number; readonly waiting: number; readonly dropped: number }
}

/** What the link tells; the composition root turns these into events. */
export interface LinkHandlers {
  onTarget(desired: DesiredState): void
  onTargetRefused(cause: Cause): void
  onState(link: LinkState): void
  onReportAsked(): void
  /** the cloud's clock, said just now and signed */
  onCloudTime?(atWallMs: number): void
  /** somebody looks at this device; absent = this agent takes no readings */
  onTelemetryAsked?(look: TelemetryLook): void
  /** absent = this agent opens no live sessions */
  onSessionAsked?(session: SessionRequest): void
  /** asked at each connect: what to say first */
  hello(): Hello
}

/** The way to the cloud: keeps the last value per channel, sends when connected, never blocks and never queues more. */
export interface CloudLink {
  start(handlers: LinkHandlers): void
  publishStatus(report: StatusReport): void
  publishInventory(inventory: Inventory): void
  /** true when the broker has it; false, at once, without a connection. Never kept here. */
  publishEvents(events: DeviceEvents): Promise<boolean>
  /** as with events */
  publishTelemetry(readings: Telemetry): Promise<boolean>
  /** how much a quiet link may say, from now on */
  pace(pace: LinkPace): void
  /** Tries now when it waits for its next try: something that was in the way may be gone. */
  tryNow(): void
  /** bytes by topic since the start, beside what keeps the connection: `connect` and `keepalive` */
  traffic(): Traffic
  /** last values that the broker has not acknowledged */
  unsent(): number
  stop(): Promise<void>
}

/** Reads the host below a root folder (default `/`). Missing files are null, never an exception. */
export interface HostReader {
  read(path: string): Promise<string | null>
  list(path: string): Promise<readonly string[]>
  link(path: string): Promise<string | null>
}

/** One step of the way to the cloud. `unknown` = it could not be looked at, or an earlier step explains it. */
export interface PathStep {
  readonly name: 'cable' | 'address' | 'router' | 'dns' | 'clock' | 'proxy' | 'tcp' | 'tls' | 'broker'
  readonly result: 'ok' | 'failed' | 'unknown'
  /** what was found, with values */
  readonly says: string
  /** one thing to do, when it failed */
  readonly next?: string
}

/** Collects the inventory; a probe that fails is a finding. */
export interface InventoryReader {
  collect(): Promise<{ readonly inventory: Inventory; readonly hostIp: string | null }>
}
