/**
 * Sends each device the whole of what it should run. INVARIANTS: one worker a device; a document's number and digest are in
 * the store before it is sent; the number rises only when the digest moved or the epoch was raised; a device is never sent
 * a document lower than one it says it holds; a terminating pod's object goes only after the device confirmed.
 */
import { canonicalJson } from '../../protocol/revision.ts'
import { causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { seal } from '../../protocol/envelope.ts'
import type { SigningKey } from '../../protocol/envelope.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { documentOf, heldFault, isHeld, nextRecord } from '../core/desired.ts'
import type { DesiredBuild, DeviceRecord } from '../core/desired.ts'
import { isDeleting, keyOf, nameOf, uidOf } from '../core/meta.ts'
import { concernsDevice } from '../core/pod-news.ts'
import { podFinish } from '../core/pod-finish.ts'
import type { ConfigKind } from '../core/configs-beside.ts'
import { isDeviceRun } from '../core/device-runs.ts'
import type { KubeObject } from '../resources/object.ts'
import type { AgentBundles, DeviceLink } from '../ports.ts'
import type { Pod } from '../resources/pod.ts'
import type { DeviceState } from './cluster-kinds.ts'
import type { DeviceBook } from './device-book.ts'
import { desiredOf, tellAgent, wishesOf } from './desired-of.ts'
import { tellLeftOut, watchSchedules } from './device-schedules.ts'
import { watchImageWishes } from './image-wishes.ts'
import type { RolloutBook } from './rollout-book.ts'
import { tellServicesLeftOut, watchServiceWishes } from './service-wishes.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export interface PublishDeps extends ControllerDeps {
  readonly link: DeviceLink
  readonly book: DeviceBook
  readonly signingKey: SigningKey
  readonly agents: AgentBundles
  /** the broker began with this process and forgot as much: nobody gets a document from it without having said hello to us */
  readonly brokerIsOurs?: boolean
  /** the cloud's epoch as of now */
  epoch(): number
  /** a document that is made of it now would soon be old: look again in so many ms; null = it would not */
  busyMs(device: string): number | null
  /** readings that are wanted of every device that says nothing of its own, in seconds; null = of none */
  readonly usageSeconds: number | null
  readonly rollouts: Pick<RolloutBook, 'imagesAhead' | 'onAhead'>
}

export interface PublishController extends Controller {
  /** the device's pods changed, or it said something that matters */
  wake(device: string): void
  /** send it again, also to one that holds it and may wait for a word; not `atOnce` = only if the last time may have been lost */
  resend(device: string, atOnce: boolean): void
  /** after a broker reconnect: everything again, at the table's rate */
  resendAll(): void
}

export function startPublishController(deps: PublishDeps): PublishController {
  return new Publisher(deps).start()
}

class Publisher {
  readonly #deps: PublishDeps
  /** what the broker has acknowledged to this process since it connected */
  readonly #sent = new Map<string, { readonly mark: string; readonly atMonoMs: number }>()
  readonly #heldBack = new Map<string, number>()
  readonly #controller: Controller

  constructor(deps: PublishDeps) {
    this.#deps = deps
    this.#controller = runController(deps, 'publish', (device) => this.#work(device), LIMITS.deviceWorkers.value)
  }

  start(): PublishController {
    const { cluster } = this.#deps
    cluster.pods.onChange((next, previous) => {
      for (const device of new Set([next?.spec.nodeName, previous?.spec.nodeName]))
        if (device !== undefined && concernsDevice(next, previous)) this.#wake(device)
      if (next !== null && isDeleting(next) && next.spec.nodeName === undefined)
        void cluster.erase(cluster.pods, next).catch(() => this.#deps.log.warn('a pod could not be erased', { pod: keyOf(next) }))
    })
    // new data of what its pods use is a new document
    cluster.configMaps.onChange((next, previous) => this.#wakeUsers('ConfigMap', next ?? previous))
    cluster.secrets.onChange((next, previous) => this.#wakeUsers('Secret', next ?? previous))
    cluster.nodes.onChange((next, previous) => {
      const stays = next !== null && previous !== null && wishesOf(next) === wishesOf(previous)
      if (!stays) this.#wake(nameOf(next ?? previous ?? EMPTY))
    })
    watchImageWishes(cluster, (device) => this.#wake(device))
    watchServiceWishes(cluster, (device) => this.#wake(device))
    watchSchedules(cluster, (device) => this.#wake(device))
    this.#deps.rollouts.onAhead((device) => this.#wake(device))
    return {
      ...this.#controller,
      wake: (device) => this.#wake(device),
      resend: (device, atOnce) => {
        const ageMs = this.#deps.clock.monoMs() - (this.#sent.get(device)?.atMonoMs ?? 0)
        if (!atOnce && ageMs < LIMITS.resendAfterMs.value) return
        this.#sent.set(device, { mark: '', atMonoMs: 0 })
        this.#wake(device)
      },
      resendAll: () => {
        this.#sent.clear()
        cluster.nodes
          .values()
          .forEach((node, index) => this.#controller.queue.addAfter(nameOf(node), (index * 1000) / LIMITS.republishPerSecond.value))
      },
    }
  }

  #wakeUsers(kind: ConfigKind, config: KubeObject | null): void {
    if (config === null) return
    for (const { spec } of this.#deps.cluster.pods.by('config', `${kind} ${keyOf(config)}`))
      if (spec.nodeName !== undefined) this.#wake(spec.nodeName)
  }

  #wake(device: string): void {
    this.#controller.queue.addAfter(device, LIMITS.publishQuietMs.value)
  }

  async #work(device: string): Promise<number | null> {
    const { cluster, book, epoch } = this.#deps
    const holdMs = this.#holdMs(device)
    if (holdMs !== null) return holdMs
    if (!this.#isExpected(device)) {
      await this.#finish(device)
      return null
    }
    const bound = cluster.pods.by('node', device).filter((pod) => !isDeviceRun(pod))
    const stored = cluster.deviceStates.get(`/${device}`)?.spec ?? null
    if (cluster.nodes.get(`/${device}`) !== undefined) {
      const build = desiredOf(cluster, device, bound, {
        published: stored?.uids ?? [],
        usageSeconds: this.#deps.usageSeconds,
        agents: this.#deps.agents,
        ahead: this.#deps.rollouts.imagesAhead(device),
      })
      tellLeftOut(this.#deps.events, device, build.leftOut)
      tellAgent(this.#deps, device)
      const next = nextRecord(stored, build, bound, epoch())
      const held = book.peek(device)?.held ?? null
      // without a record the device may hold documents of a cloud that was lost: hear it first
      const known = stored !== null || held !== null
      const fault = known ? heldFault(next ?? stored ?? { epoch: 0, generation: 0, digest: '' }, held) : null
      this.#raise(device, fault)
      if (known && fault === null) await this.#send(device, build, stored, next)
      await this.#tellRefused(bound, build)
      tellServicesLeftOut(this.#deps, device, bound)
    }
    await this.#finish(device)
    return null
  }

  /** After a start documents are made for those that have come; making them for all would keep the first of them waiting. */
  #isExpected(device: string): boolean {
    const { brokerIsOurs, book } = this.#deps
    return brokerIsOurs !== true || (book.peek(device)?.heardIso ?? null) !== null
  }

  /** Waits, within bounds, for those who still decide: fifty pods of one apply make one document, and so do old pods and new ones. */
  #holdMs(device: string): number | null {
    const now = this.#deps.clock.monoMs()
    const since = this.#heldBack.get(device) ?? now
    const inMs = this.#deps.busyMs(device)
    if (inMs === null || now - since >= LIMITS.publishHoldMs.value) this.#heldBack.delete(device)
    else this.#heldBack.set(device, since)
    return this.#heldBack.has(device) ? inMs : null
  }

  async #send(device: string, build: DesiredBuild, stored: DeviceRecord | null, next: DeviceRecord | null): Promise<void> {
    const { link, signingKey, cluster, log, brokerIsOurs, book } = this.#deps
    if (next !== null) await this.#record(device, stored, next)
    const record = next ?? stored
    if (record === null || !link.isConnected()) return
    const mark = `${record.epoch}/${record.generation}/${record.digest}`
    if (this.#sent.get(device)?.mark === mark) return
    const view = book.peek(device)
    // whoever comes says hello and is sent what it lacks: a fleet that returns after a restart of the cloud holds almost everything
    if (brokerIsOurs === true && view?.present !== true) return
    if (brokerIsOurs === true && !this.#sent.has(device) && isHeld(record, view?.held ?? null)) {
      this.#sent.set(device, { mark, atMonoMs: 0 })
      return
    }
    const message = seal('desired', device, documentOf(device, record, build, cluster.nowIso()), signingKey)
    await link.publishDesired(device, message)
    this.#sent.set(device, { mark, atMonoMs: this.#deps.clock.monoMs() })
    log.info('desired state published', {
      device,
      epoch: record.epoch,
      generation: record.generation,
      pods: build.pods.length,
      bytes: message.byteLength,
    })
  }

  async #record(device: string, stored: DeviceRecord | null, next: DeviceRecord): Promise<void> {
    const { cluster } = this.#deps
    const state: DeviceState = { apiVersion: 'skerry.dev/v1', kind: 'DeviceState', metadata: { name: device }, spec: next }
    if (stored === null) {
      if ((await cluster.create(cluster.deviceStates, state)) !== null) return
      throw new Error(`another process wrote the first document of ${device}`)
    }
    let written = false
    await cluster.change(cluster.deviceStates, `/${device}`, (current) => {
      written = canonicalJson(current.spec) === canonicalJson(stored)
      return written ? { ...current, spec: next } : null
    })
    if (!written) throw new Error(`another process published for ${device}`)
  }

  #raise(device: string, fault: Cause | null): void {
    const { book, clock, cluster, events, log } = this.#deps
    const view = book.view(device, clock.monoMs())
    const isNew = fault !== null && canonicalJson(view.behind) !== canonicalJson(fault)
    view.behind = fault
    if (!isNew) return
    const node = cluster.nodes.get(`/${device}`)
    log.error('a device holds a desired state that this cloud did not write; nothing is sent to it', { device, why: causeSentence(fault) })
    if (node !== undefined)
      events.record({ about: node, type: 'Warning', reason: 'DeviceAhead', message: causeSentence(fault), component: 'publisher' })
  }

  async #tellRefused(bound: readonly Pod[], build: DesiredBuild): Promise<void> {
    const { cluster, events } = this.#deps
    for (const pod of bound) {
      const why = build.refused.get(uidOf(pod))
      const was = pod.status?.reason === REFUSED
      if (why === undefined && !was) continue
      await cluster.change(cluster.pods, keyOf(pod), (current) => {
        const { reason: _reason, message: _message, ...kept } = current.status ?? {}
        return { ...current, status: why === undefined ? kept : { ...kept, reason: REFUSED, message: causeSentence(why) } }
      })
      if (why !== undefined && !was)
        events.record({ about: pod, type: 'Warning', reason: REFUSED, message: causeSentence(why), component: 'publisher' })
    }
  }

  async #finish(device: string): Promise<void> {
    const { cluster, book } = this.#deps
    const record = cluster.deviceStates.get(`/${device}`)?.spec ?? null
    const nodeExists = cluster.nodes.get(`/${device}`) !== undefined
    for (const pod of cluster.pods.by('node', device)) {
      if (podFinish(pod, record, book.peek(device)?.report ?? null, nodeExists).kind !== 'finished') continue
      if ((pod.metadata.finalizers ?? []).length === 0) await cluster.erase(cluster.pods, pod)
    }
  }
}

const REFUSED = 'DeviceDocumentFull'
const EMPTY = { apiVersion: '', kind: '', metadata: {} }
