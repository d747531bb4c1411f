/**
 * What devices say becomes Node and Pod status. INVARIANTS: messages only update the book and add a key, so duplicates and
 * bursts cost one pass; one worker a device; nothing is written when nothing changed.
 */
import { causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { controllerOf, isDeleting, keyOf, nameOf, uidOf } from '../core/meta.ts'
import { isSameNews } from '../core/device-news.ts'
import type { DeviceNews } from '../core/device-news.ts'
import { newNode, nodeWithNews } from '../core/node-status.ts'
import { nodeTopology, withTopology } from '../core/node-topology.ts'
import { isFinished } from '../core/pod-state.ts'
import { refusedPlacement } from '../core/refused-placement.ts'
import { eventReason, podStatus } from '../core/pod-status.ts'
import type { Pod } from '../resources/pod.ts'
import type { DeviceMessage } from '../ports.ts'
import { alarmsOf, heard, lacksReport, silentInMs, takeHello, takePresence, takeReport } from './device-book.ts'
import type { DeviceBook, DeviceView } from './device-book.ts'
import { writeRuns } from './device-schedules.ts'
import { recordEvents } from './device-events.ts'
import type { PublishController } from './publish-controller.ts'
import type { SchedulerController } from './scheduler-controller.ts'
import type { TelemetryBook } from './telemetry-book.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export interface ReportDeps extends ControllerDeps {
  readonly book: DeviceBook
  readonly publisher: Pick<PublishController, 'wake' | 'resend'>
  readonly telemetry: TelemetryBook
  /** a device was heard: its silence is counted from now */
  touched(device: string): void
  /** what a device reported last has not come */
  lacks(device: string): void
  readonly scheduler: Pick<SchedulerController, 'avoid' | 'usageSeen'>
  /** tells a device what time it is */
  sayTime(device: string): void
}

export interface ReportController extends Controller {
  take(message: DeviceMessage): void
}

export function startReportController(deps: ReportDeps): ReportController {
  const { cluster, book, clock, publisher } = deps
  const work = async (device: string): Promise<number | null> => {
    const view = book.peek(device)
    if (view === null) return null
    const silentMs = silentInMs(view, clock.monoMs())
    if (silentMs === 0) deps.touched(device)
    if (silentMs !== null && silentMs > 0) return silentMs
    await writeDevice(deps, view)
    if (view.report !== null) await writeRuns(cluster, view.device, view.report)
    await writePods(deps, view)
    if (awaitsWord(view)) {
      publisher.resend(device, false)
      return LIMITS.resendAwaitedMs.value
    }
    return view.conflict === null ? null : Math.max(0, view.conflict.atMonoMs + LIMITS.identityConflictMs.value - clock.monoMs())
  }
  const controller = runController(deps, 'report', work, LIMITS.deviceWorkers.value)
  cluster.pods.onChange((next, previous) => {
    const device = next?.spec.nodeName
    // a pod that was just bound may have been reported already
    if (device !== undefined && previous?.spec.nodeName !== device) controller.queue.add(device)
  })
  cluster.nodes.onChange((next, previous) => {
    if (next !== null || previous === null) return
    book.forget(nameOf(previous))
    deps.telemetry.forget(nameOf(previous))
    const topology = cluster.topologies.get(keyOf(previous))
    if (topology !== undefined)
      void cluster
        .erase(cluster.topologies, topology)
        .catch(() => deps.log.warn('the topology of a removed device stayed', { device: nameOf(previous) }))
  })
  return {
    ...controller,
    take(message) {
      const view = book.view(message.device, clock.monoMs())
      if (!takeMessage(deps, view, message)) return
      deps.touched(message.device)
      controller.queue.add(message.device)
      if (message.channel === 'presence' && lacksReport(view)) deps.lacks(message.device)
      if (message.channel === 'hello' || (message.channel !== 'inventory' && doubtsItsClock(view))) deps.sayTime(message.device)
      if (hasOtherDocument(deps, view)) publisher.resend(message.device, message.channel === 'hello')
      const terminating = cluster.pods.by('node', message.device).some(isDeleting)
      if (message.channel === 'hello' || terminating || view.behind !== null) publisher.wake(message.device)
    },
  }
}

function doubtsItsClock({ report }: DeviceView): boolean {
  return report?.causes.some(({ code }) => code.startsWith('clock.')) === true
}

const WAITS: ReadonlySet<string> = new Set(['policy.disconnect.stopped', 'policy.disconnect.unsure'])

/** It stopped work when it was alone, and goes on with the next document that comes: the broker may have lost the one it kept. */
function awaitsWord({ present, report }: DeviceView): boolean {
  return present && report?.pods.some((pod) => pod.cause !== undefined && WAITS.has(pod.cause.code)) === true
}

/** Puts a message into the book; false when it says nothing new. */
function takeMessage(deps: ReportDeps, view: DeviceView, message: DeviceMessage): boolean {
  const now = { monoMs: deps.clock.monoMs(), iso: deps.cluster.nowIso() }
  switch (message.channel) {
    case 'hello':
      heard(view, now)
      takeHello(view, message.body, now.monoMs)
      return true
    case 'presence':
      if (message.body.state === 'on') heard(view, now)
      return takePresence(view, message.body, now.monoMs)
    case 'inventory':
      heard(view, now)
      view.inventory = message.body
      return true
    case 'status':
      if (!takeReport(view, message.body, now.monoMs)) return false
      heard(view, now)
      return true
    case 'events':
      recordEvents(deps, view, message.body)
      return false
    case 'telemetry':
      deps.telemetry.take(message.body)
      deps.scheduler.usageSeen(message.device, deps.telemetry.podCpu(message.device))
      return false
  }
}

/** The device lost our newest document (a wiped broker, a fall-back to an older file): send it again. */
function hasOtherDocument({ cluster }: ReportDeps, { device, held }: DeviceView): boolean {
  const record = cluster.deviceStates.get(`/${device}`)?.spec
  if (record === undefined || held === null) return held !== null
  return held.epoch !== record.epoch || held.generation !== record.generation || held.digest !== record.digest
}

/** Node and topology, unless both are still what was written last and the device says the same of itself: most reports are of pods. */
async function writeDevice(deps: ReportDeps, view: DeviceView): Promise<void> {
  const { cluster, clock } = deps
  const news = { device: view.device, inventory: view.inventory, report: view.report, silent: view.silent, alarms: alarmsOf(view, clock.monoMs()) }
  const key = `/${view.device}`
  const isTold = (): boolean => view.told?.node === cluster.nodes.get(key) && view.told?.topology === cluster.topologies.get(key)
  if (view.told !== null && isTold() && news.alarms.length === 0 && isSameNews(view.told.news, news)) return
  await writeNode(deps, view, news)
  await writeTopology(deps, view)
  const [node, topology] = [cluster.nodes.get(key), cluster.topologies.get(key)]
  view.told = node === undefined ? null : { news, node, topology }
}

async function writeNode(deps: ReportDeps, view: DeviceView, news: DeviceNews): Promise<void> {
  const { cluster, events } = deps
  const key = `/${view.device}`
  if (cluster.nodes.get(key) === undefined) {
    if (view.heardIso === null) return
    await cluster.create(cluster.nodes, newNode(view.device))
  }
  // after a restart of the cloud: nothing is known of it yet, so what is stored holds
  if (view.heardIso === null && view.silent === null && view.behind === null) return
  const nowIso = cluster.nowIso()
  await cluster.change(cluster.nodes, key, (node) => nodeWithNews(node, news, nowIso))
  const conflict = news.alarms.find((alarm) => alarm.code === 'node.identity-conflict')
  const node = cluster.nodes.get(key)
  if (conflict !== undefined && node !== undefined)
    events.record({ about: node, type: 'Warning', reason: 'IdentityConflict', message: causeSentence(conflict), component: 'report-controller' })
}

/** NUMA zones of the device; made anew when somebody deleted it. */
async function writeTopology({ cluster }: ReportDeps, { device, inventory }: DeviceView): Promise<void> {
  const node = cluster.nodes.get(`/${device}`)
  if (node === undefined || inventory === null) return
  const next = nodeTopology(node, inventory)
  if (cluster.topologies.get(`/${device}`) === undefined) await cluster.create(cluster.topologies, next)
  else await cluster.change(cluster.topologies, `/${device}`, (stored) => withTopology(stored, next))
}

async function writePods(deps: ReportDeps, view: DeviceView): Promise<void> {
  const { cluster, events } = deps
  const reports = new Map(view.report?.pods.map((pod) => [pod.uid, pod]) ?? [])
  const silentWhy = view.silent === null ? null : causeSentence(view.silent)
  const nowIso = cluster.nowIso()
  await Promise.all(
    cluster.pods.by('node', view.device).map(async (pod) => {
      const report = reports.get(uidOf(pod)) ?? null
      if (isFinished(pod) || (report === null && silentWhy === null)) return
      await cluster.change(cluster.pods, keyOf(pod), (current) =>
        uidOf(current) === uidOf(pod) && !isFinished(current)
          ? { ...current, status: podStatus(current, { report, hostIP: view.report?.hostIP ?? null, silentWhy }, nowIso) }
          : null,
      )
      const why = report?.cause ?? (report?.update?.reason === 'RolledBack' ? report.update.cause : undefined)
      if (why !== undefined)
        events.record({ about: pod, type: 'Warning', reason: eventReason(why.code), message: causeSentence(why), component: view.device })
      const refused = view.silent === null ? refusedPlacement(pod, report) : null
      if (refused !== null) await giveUp(deps, pod, view.device, refused)
    }),
  )
}

/** Deleted, so that its owner makes another one: it goes elsewhere, or to the same device once that says what it has. */
async function giveUp({ cluster, events, scheduler }: ReportDeps, pod: Pod, device: string, why: Cause): Promise<void> {
  scheduler.avoid(controllerOf(pod)?.uid ?? '', device, why)
  const message = `${device} refused the placement: the pod ${causeSentence(why)}. Another pod is made in its place.`
  events.record({ about: pod, type: 'Warning', reason: 'PlacementRefused', message, component: 'report-controller' })
  const current = cluster.pods.get(keyOf(pod))
  if (current !== undefined && uidOf(current) === uidOf(pod) && !isDeleting(current)) await cluster.remove(cluster.pods, current)
}
