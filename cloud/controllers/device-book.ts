/**
 * What this process has heard of each device since it started. Only memory: all of it comes again from the devices.
 * INVARIANTS: one entry a device; of each document only the newest is kept; an older report of the same session never
 * replaces a newer one; an `off` counts only for the current session.
 */
import { compareVersions } from '../../protocol/accept.ts'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Hello, Presence } from '../../protocol/presence.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { DeviceHeld } from '../core/desired.ts'
import type { DeviceNews } from '../core/device-news.ts'
import type { NodeResourceTopology } from '../resources/node-resource-topology.ts'
import type { Node } from '../resources/node.ts'

export interface DeviceView {
  readonly device: string
  sid: string | null
  present: boolean
  /** connected, it may say nothing for so long */
  quietMs: number
  heardMonoMs: number
  heardIso: string | null
  inventory: Inventory | null
  report: StatusReport | null
  /** what it last said it had reported in this session; null = it has not said */
  saidSeq: number | null
  /** when it came; below zero = never */
  reportMonoMs: number
  /** highest document the device says it holds; null = it has not said */
  held: DeviceHeld | null
  silent: Cause | null
  /** when that was noticed here; null = it is not silent */
  silentAtMonoMs: number | null
  /** it said that it goes, or its broker did: silent unless it comes back at once; null = it did not go */
  goneAtMonoMs: number | null
  /** the last event of its queue that was taken */
  events: { readonly stream: string; readonly seq: number } | null
  /** the device holds something this cloud did not write */
  behind: Cause | null
  /** sessions that gave way, with when: one that comes back is a second agent */
  former: readonly { readonly sid: string; readonly atMonoMs: number }[]
  conflict: { readonly cause: Cause; readonly atMonoMs: number } | null
  /** what was last written of the device itself, and as what it is stored since */
  told: { readonly news: DeviceNews; readonly node: Node; readonly topology: NodeResourceTopology | undefined } | null
}

export class DeviceBook {
  readonly #views = new Map<string, DeviceView>()

  view(device: string, nowMonoMs: number): DeviceView {
    const found = this.#views.get(device)
    if (found !== undefined) return found
    const view: DeviceView = {
      device,
      sid: null,
      present: false,
      quietMs: LIMITS.nodeQuietMs.value,
      heardMonoMs: nowMonoMs,
      heardIso: null,
      inventory: null,
      report: null,
      saidSeq: null,
      reportMonoMs: -1,
      held: null,
      silent: null,
      silentAtMonoMs: null,
      goneAtMonoMs: null,
      events: null,
      behind: null,
      former: [],
      conflict: null,
      told: null,
    }
    this.#views.set(device, view)
    return view
  }

  peek(device: string): DeviceView | null {
    return this.#views.get(device) ?? null
  }

  all(): Iterable<DeviceView> {
    return this.#views.values()
  }

  forget(device: string): void {
    this.#views.delete(device)
  }
}

export function heard(view: DeviceView, now: { readonly monoMs: number; readonly iso: string }): void {
  view.heardMonoMs = now.monoMs
  view.heardIso = now.iso
  view.silent = null
  view.silentAtMonoMs = null
  view.goneAtMonoMs = null
}

export function takeHello(view: DeviceView, hello: Hello, nowMonoMs: number): void {
  takeSession(view, hello.sid, nowMonoMs)
  view.present = true
  // what a session says it has persisted replaces what an earlier one said: the disk may have been changed
  view.held = { epoch: hello.epoch, generation: hello.generation, digest: hello.digest, firm: false }
}

/** False when it says nothing about now: an `off` of a session that was replaced. */
export function takePresence(view: DeviceView, presence: Presence, nowMonoMs: number): boolean {
  if (presence.state === 'on') {
    takeSession(view, presence.sid, nowMonoMs)
    view.present = true
    view.saidSeq = presence.seq ?? null
    view.quietMs = Math.max(LIMITS.nodeQuietMs.value, (presence.quietS ?? 0) * 1_000)
    return true
  }
  if (view.sid !== null && view.sid !== presence.sid) return false
  view.sid = presence.sid
  view.present = false
  if (view.silent === null) view.goneAtMonoMs ??= nowMonoMs
  return true
}

/**
 * Milliseconds until a device that went is called silent; null = it did not go, or it is. A device that takes another
 * connection, or an agent that starts anew, goes and is back within moments: nobody needs to hear of that.
 */
export function silentInMs(view: DeviceView, nowMonoMs: number): number | null {
  const { goneAtMonoMs } = view
  if (goneAtMonoMs === null || view.silent !== null) return null
  const leftMs = goneAtMonoMs + LIMITS.presenceGraceMs.value - nowMonoMs
  if (leftMs > 0) return leftMs
  view.goneAtMonoMs = null
  view.silentAtMonoMs ??= goneAtMonoMs
  view.silent = cause('node.silent', { since: view.heardIso ?? 'it disconnected' })
  return 0
}

/**
 * False for an older report of the same session, or for what a replaced one said late. A session that still reports when nothing of it
 * can be on the way any more is the one that runs: the word by which another replaced it was itself late.
 */
export function takeReport(view: DeviceView, report: StatusReport, nowMonoMs: number): boolean {
  const before = view.report
  if (before !== null && before.sid === report.sid && report.seq < before.seq) return false
  // once the current session has reported, what a replaced one said late is old news
  const replaced = report.sid === view.sid ? undefined : view.former.find((former) => former.sid === report.sid)
  if (replaced !== undefined && before !== null && before.sid === view.sid) {
    if (nowMonoMs - replaced.atMonoMs < LIMITS.identityConflictMs.value) return false
    takeSession(view, report.sid, nowMonoMs)
    view.present = true
  }
  view.report = report
  view.reportMonoMs = nowMonoMs
  const said = report.desired
  if (said !== undefined && (view.held === null || compareVersions(said, view.held) >= 0)) view.held = { ...said, firm: true }
  // a device that reports and names no document has none: a hello may never have reached this process
  if (said === undefined && view.held === null) view.held = { epoch: 0, generation: 0, digest: '', firm: false }
  return true
}

/** It reported something that never came: a broker lost it after it had said that it has it. */
export function lacksReport({ present, sid, report, saidSeq }: DeviceView): boolean {
  return present && saidSeq !== null && (report === null || report.sid !== sid || report.seq < saidSeq)
}

const FORMER_KEPT = 8

function takeSession(view: DeviceView, sid: string, nowMonoMs: number): void {
  if (view.sid === sid) return
  const recent = view.former.filter((former) => nowMonoMs - former.atMonoMs < LIMITS.identityConflictMs.value)
  // a duplicate of one old message is normal with QoS 1; the same old session taking over twice is not
  const returns = recent.filter((former) => former.sid === sid).length
  if (view.sid !== null && returns >= 2) {
    view.conflict = { cause: cause('node.identity-conflict', { device: view.device, a: view.sid, b: sid }), atMonoMs: nowMonoMs }
  }
  view.former = view.sid === null ? recent : [...recent, { sid: view.sid, atMonoMs: nowMonoMs }].slice(-FORMER_KEPT)
  view.sid = sid
}

/** The cloud's own findings; a conflict is over when the sessions stopped changing for the table's time. */
export function alarmsOf(view: DeviceView, nowMonoMs: number): readonly Cause[] {
  const flapping = view.conflict !== null && nowMonoMs - view.conflict.atMonoMs < LIMITS.identityConflictMs.value ? [view.conflict.cause] : []
  return [...flapping, ...(view.behind === null ? [] : [view.behind])]
}

/** What people are shown of a device beside its Node. */
export interface DeviceTold {
  readonly report: StatusReport | null
  readonly heardAtMs: number | null
  /** connected, it may say nothing for so long; absent = not longer than any */
  readonly quietMs?: number
}

export function toldBy(view: DeviceView | null): DeviceTold {
  const { report = null, heardIso = null, quietMs = 0 } = view ?? {}
  return { report, heardAtMs: heardIso === null ? null : Date.parse(heardIso), ...(quietMs > LIMITS.nodeQuietMs.value ? { quietMs } : {}) }
}
