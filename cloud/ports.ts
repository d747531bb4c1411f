/** The narrow interfaces through which the cloud's rooms meet in `main.ts`. */
import type { DesiredAgent } from '../protocol/desired-state.ts'
import type { DeviceEvents } from '../protocol/events.ts'
import type { Inventory } from '../protocol/inventory.ts'
import type { Hello, Presence } from '../protocol/presence.ts'
import type { SessionRequest } from '../protocol/session.ts'
import type { StatusReport } from '../protocol/status-report.ts'
import type { Telemetry } from '../protocol/telemetry.ts'
import type { MetricName } from './core/metric-table.ts'
import type { KubeObject } from './resources/object.ts'

export interface Clock {
  nowMs(): number
  monoMs(): number
  after(ms: number, run: () => void): () => void
}

export interface Random {
  next(): number
  uuid(): string
  /** lower case letters and digits without vowels, for generated names */
  suffix(length: number): string
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>
export interface Log {
  info(msg: string, fields?: LogFields): void
  warn(msg: string, fields?: LogFields): void
  error(msg: string, fields?: LogFields): void
}

/** Counts and times, for /metrics; the table in core/metric-table.ts says which there are. Never blocks, never throws. */
export interface Meter {
  count(metric: MetricName, labels?: Readonly<Record<string, string>>, by?: number): void
  /** one value of a histogram, in seconds */
  observe(metric: MetricName, seconds: number, labels?: Readonly<Record<string, string>>): void
}

/** One act of somebody through the API: what was asked, and how it ended. */
export interface AuditEntry {
  readonly atMs: number
  readonly who: string
  /** create, update, patch, delete, or the part that was acted on */
  readonly verb: string
  /** plural of the kind */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  /** of the answer */
  readonly status: number
  /** what the actor wrote, '' = nothing */
  readonly reason: string
}

/** Who did what through the API, oldest first; a bounded past. */
export interface AuditLog {
  record(entry: AuditEntry): void
  entries(): readonly AuditEntry[]
  onRecord(handler: (entry: AuditEntry) => void): void
}

/** One stored object. `json` is its encoded form with `metadata.resourceVersion` = `revision`; reuse it, do not re-encode. */
export interface StoredObject {
  readonly resource: string
  /** '' for cluster-scoped kinds */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly revision: number
  readonly json: string
}

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** for DELETED: the last state, with the revision of the deletion */
  readonly object: StoredObject
  /** the state before, for MODIFIED and DELETED: selectors need it to turn a change into an add or a delete */
  readonly previous: StoredObject | null
}

export interface ListOptions {
  readonly namespace?: string
  readonly limit?: number
  /** opaque, from a previous page; pages of one list come from one revision or the list answers 'expired' */
  readonly continueFrom?: string
}

export type Written =
  | { readonly ok: true; readonly object: StoredObject }
  | { readonly ok: false; readonly why: 'exists' | 'conflict' | 'not-found'; readonly current: StoredObject | null }

export type Listed =
  | {
      readonly ok: true
      readonly items: readonly StoredObject[]
      readonly revision: number
      readonly continueFrom: string | null
      readonly remaining: number
    }
  | { readonly ok: false; readonly why: 'expired' }

export interface WatchHandlers {
  onChange(change: Change): void
  /** the watcher asked for a revision that is gone, or fell too far behind: list again */
  onExpired(): void
}

/**
 * The resource store. Revisions are global, decimal and only rise. A write is durable when its promise resolves. Writers
 * never see a half-done write; a watcher sees every change after its revision once, in order.
 */
export interface Store {
  get(resource: string, namespace: string, name: string): Promise<StoredObject | null>
  list(resource: string, options?: ListOptions): Promise<Listed>
  /** sets metadata.resourceVersion */
  create(resource: string, object: KubeObject): Promise<Written>
  /** compare-and-set: `expected` is the revision the writer read; null = last write wins */
  update(resource: string, object: KubeObject, expected: number | null): Promise<Written>
  delete(resource: string, namespace: string, name: string, expected: number | null): Promise<Written>
  /** `resource` null = every kind; `from` null = from now. The result ends the watch. */
  watch(resource: string | null, from: number | null, handlers: WatchHandlers): () => void
  revision(): Promise<number>
  /** small facts of the cloud itself (epoch, keys): name -> text, durable, with compare-and-set on the old value */
  getFact(name: string): Promise<string | null>
  setFact(name: string, value: string, expected: string | null): Promise<boolean>
  close(): Promise<void>
}

/** What somebody asks of a running pod or of a device, checked: id and token are added when the device is asked. */
export interface LiveCall {
  readonly device: string
  /** what Events tell of: the pod, or the Node */
  readonly about: KubeObject
  readonly wanted: Omit<SessionRequest, 'id' | 'token' | 'validMs'>
}

/** Why nothing came of it, before anything was sent to the client: becomes a Status. */
export interface LiveFailure {
  readonly code: number
  readonly reason: string
  readonly message: string
}

/** Whoever reads a log as it comes. */
export interface LogTaker {
  /** the device sends it */
  opened(): void
  /** the next piece comes when it resolves */
  take(bytes: Uint8Array): Promise<void>
  readonly stop: AbortSignal
}

/** Agents that this cloud can give to devices. */
export interface AgentBundles {
  /** null = there is none of that version */
  find(version: string): DesiredAgent | null
}

/** What devices say, by channel. */
export interface DeviceBodies {
  readonly status: StatusReport
  readonly inventory: Inventory
  readonly hello: Hello
  readonly presence: Presence
  readonly events: DeviceEvents
  readonly telemetry: Telemetry
}

/**
 * MQTT as controllers see it. A message was opened and checked in full (size, version, signature where demanded, shape, that its body
 * names the same device) before it arrives.
 */
export type DeviceMessage = {
  readonly [C in keyof DeviceBodies]: { readonly device: string; readonly channel: C; readonly body: DeviceBodies[C] }
}[keyof DeviceBodies]

/** The way to ask a device for a live session (signed command): its answer is a socket, not a message. */
export interface SessionLink {
  askSession(device: string, message: Uint8Array): Promise<void>
}

export interface DeviceLink {
  /** resolves when the broker has acknowledged; rejects when not connected: the caller keeps the key and tries again */
  publishDesired(device: string, message: Uint8Array): Promise<void>
  /** asks a device for its full report (signed command); best effort */
  askReport(device: string, message: Uint8Array): Promise<void>
  /** asks a device for readings for a while (signed command); best effort */
  askTelemetry(device: string, message: Uint8Array): Promise<void>
  /** tells a device what time it is (signed command); best effort */
  sayTime(device: string, message: Uint8Array): Promise<void>
  /** called with each valid message; invalid ones were counted and refused */
  onMessage(handler: (message: DeviceMessage) => void): void
  /** after every (re)connect to the broker: publish all retained documents again, it may have lost them */
  onConnected(handler: () => void): void
  isConnected(): boolean
  /** refused messages by reason, for metrics and the console */
  refusals(): Readonly<Record<string, number>>
  stop(): Promise<void>
}
