/** All controllers of one cloud process, wired. `cloud/main.ts` gives the parts and calls `stop` at the end. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { seal } from '../../protocol/envelope.ts'
import type { SigningKey } from '../../protocol/envelope.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Happening } from '../core/events.ts'
import { nameOf } from '../core/meta.ts'
import type { AgentBundles, Clock, DeviceLink, DeviceMessage, Log, Meter, Random, Store } from '../ports.ts'
import { startAskReports } from './ask-reports.ts'
import { Cluster } from './cluster.ts'
import { startCronJobController } from './cron-job-controller.ts'
import { startDaemonSetController } from './daemon-set-controller.ts'
import { startDeploymentController } from './deployment-controller.ts'
import { DeviceBook, toldBy } from './device-book.ts'
import type { DeviceTold } from './device-book.ts'
import { createEventRecorder } from './event-recorder.ts'
import type { EventRecorder } from './event-recorder.ts'
import { fleetFigures } from './figures.ts'
import type { Figures } from './figures.ts'
import { startGarbageController } from './garbage-controller.ts'
import { startJobController } from './job-controller.ts'
import { startMuteController } from './mute-controller.ts'
import { startNamespaceController } from './namespace-controller.ts'
import { startPublishController } from './publish-controller.ts'
import { startReplicaSetController } from './replica-set-controller.ts'
import { startReportController } from './report-controller.ts'
import { stillDeciding } from './still-deciding.ts'
import { startStatefulSetController } from './stateful-set-controller.ts'
import { startVolumeController } from './volume-controller.ts'
import { startServiceController } from './service-controller.ts'
import { startSchedulerController } from './scheduler-controller.ts'
import type { SchedulerController } from './scheduler-controller.ts'
import { RolloutBook } from './rollout-book.ts'
import { makePlan, shownPlan } from './rollout-plans.ts'
import type { PlanAnswer } from './rollout-plans.ts'
import type { PrepareDeps } from './rollout-prepare.ts'
import { startRolloutController } from './rollout-controller.ts'
import { watchDevices } from './watch-devices.ts'
import { keepReadings } from './rollout-readings.ts'
import type { TelemetryBook } from './telemetry-book.ts'
import { topologyLook } from './topology-look.ts'
import type { TopologyLookDeps } from './topology-look.ts'
import { readsUsage } from '../core/scheduler/overcommit.ts'
import type { Profile } from '../core/scheduler/framework.ts'
import type { RolloutPlan } from '../core/rollout/plan.ts'
import type { TopologyAnswer } from '../core/topology-answer.ts'
import type { WhyAnswer } from '../core/scheduler/why.ts'
import { whyPlaced } from '../core/why-placed.ts'

export interface ControllersDeps {
  readonly store: Store
  readonly link: DeviceLink
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly signingKey: SigningKey
  /** the broker is a part of this process; absent = it is not */
  readonly brokerIsOurs?: boolean
  /** agents for devices; absent = there are none */
  readonly agents?: AgentBundles
  /** the epoch to start with; a higher one that was raised earlier (fact `epoch`) wins */
  readonly epoch: number
  /** schedulers by name; default: the usual one */
  readonly profiles?: readonly Profile[]
  readonly meter?: Meter
}

export interface Controllers {
  stop(): Promise<void>
  /** why a device cannot be reached, as far as this process has heard; null = it can */
  unreachable(device: string): Cause | null
  /** what metrics are made of; looked up now */
  figures(): Figures
  /** what a Rollout would do; keeps its members for one that starts from it */
  planRollout(namespace: string, rollout: unknown): Promise<PlanAnswer>
  /** one that was made in the last day; null = there is none */
  shownPlan(namespace: string, planId: string): RolloutPlan | null
  /** writes an Event */
  record(happening: Happening): void
  /** every rule on every device for a pod, as of now, or on one device; null when there is no such pod */
  whyPod(namespace: string, name: string, node?: string): WhyAnswer | null
  /** how a device is laid out and what each pod has of it; null = there is no such device */
  topologyOf(device: string): TopologyAnswer | null
  /** what this process has heard of a device beside what its objects say */
  deviceFacts(device: string): DeviceTold
  /** the newest readings of devices that give any */
  readonly telemetry: Pick<TelemetryBook, 'samples' | 'podCpu' | 'dropped'>
  /** somebody looks at a device: readings every ten seconds for the next two minutes; call it again while that lasts */
  lookAt(device: string): void
  /**
   * After the store was restored from a backup: numbers all documents anew, above everything devices hold, and publishes
   * them. Resolves to the new epoch. An operator's act, never automatic.
   */
  raiseEpoch(): Promise<number>
}

export const EPOCH_FACT = 'epoch'

const WORKLOADS = [
  startReplicaSetController,
  startDaemonSetController,
  startDeploymentController,
  startJobController,
  startCronJobController,
  startServiceController,
  startVolumeController,
  startStatefulSetController,
]

const CLEANERS = [startGarbageController, startNamespaceController, startMuteController]

const NO_AGENTS: AgentBundles = { find: () => null }

export async function startControllers(deps: ControllersDeps): Promise<Controllers> {
  const { store, link, clock, random, log } = deps
  // retained messages come once, right after the subscription: keep them until everything is loaded
  let receive = keepEarly()
  link.onMessage((message) => receive.take(message))
  const cluster = new Cluster(deps)
  const book = new DeviceBook()
  const { telemetry, readings, lookAt } = keepReadings({ ...deps, isThere: (device) => book.peek(device)?.present === true })
  const events = createEventRecorder({ cluster, clock, random, log })
  let open = nothing
  const loaded = new Promise<void>((resolve) => {
    open = resolve
  })
  const shell = { cluster, clock, random, log, events, loaded, meter: deps.meter, rollouts: new RolloutBook(cluster) }
  let epoch = Math.max(deps.epoch, Number((await store.getFact(EPOCH_FACT)) ?? 0))
  const scheduler = startSchedulerController(deps.profiles === undefined ? shell : { ...shell, profiles: deps.profiles })
  const backlog = (): number => publisher.queue.backlog() + reports.queue.backlog()
  const workloads = WORKLOADS.map((start) => start({ ...shell, backlog }))
  const wishes = { agents: deps.agents ?? NO_AGENTS, usageSeconds: readsUsage(deps.profiles ?? []) ? LIMITS.usageEverySeconds.value : null }
  const told = { link, book, signingKey: deps.signingKey, brokerIsOurs: deps.brokerIsOurs === true }
  const publisher = startPublishController({ ...shell, ...wishes, ...told, epoch: () => epoch, busyMs: stillDeciding(cluster, scheduler, workloads) })
  const watch = watchDevices({ ...shell, book, link }, (device) => reports.queue.add(device))
  const asking = startAskReports({ ...shell, ...told })
  const about = { book, publisher, telemetry, scheduler, touched: watch.touched, lacks: asking.lacks }
  const reports = startReportController({ ...shell, ...about, sayTime: timeSayer(deps) })
  const all = [
    scheduler,
    ...workloads,
    startRolloutController({ ...shell, readings, dryRun: scheduler.refusalsInPlace }),
    publisher,
    reports,
    asking,
    watch.lost,
    ...CLEANERS.map((start) => start({ ...shell, store })),
  ]
  await cluster.start()
  open()
  for (const node of cluster.nodes.values()) watch.touched(nameOf(node))
  let stopped = false
  const early = receive.kept
  receive = { kept: [], take: (message) => (stopped ? undefined : reports.take(message)) }
  for (const message of early) reports.take(message)
  const connected = (): void => {
    if (stopped) return
    watch.lost.connected()
    publisher.resendAll()
    asking.connected()
  }
  link.onConnected(connected)
  if (link.isConnected()) connected()
  return {
    figures: () => fleetFigures(cluster, book, all),
    ...questions({ cluster, clock, dryRun: scheduler.refusalsInPlace }, scheduler, book),
    ...forSessions(book, events),
    telemetry,
    lookAt,
    ...aboutDevices({ cluster, book, telemetry, scheduler }),
    async raiseEpoch() {
      epoch = await higherEpoch(store, book, epoch)
      log.warn('the epoch was raised', { epoch })
      publisher.resendAll()
      return epoch
    },
    async stop() {
      stopped = true
      cluster.stop()
      await Promise.all([...all.map((controller) => controller.stop()), events.stop(), watch.stop()])
    },
  }
}

/** Above everything that devices hold. */
async function higherEpoch(store: Store, book: DeviceBook, epoch: number): Promise<number> {
  const next = 1 + Math.max(epoch, ...[...book.all()].map((view) => view.held?.epoch ?? 0))
  if (!(await store.setFact(EPOCH_FACT, String(next), await store.getFact(EPOCH_FACT))))
    throw new Error('the epoch was raised by somebody else at the same moment; look again before raising it once more')
  return next
}

/** What is answered without changing anything that acts. */
function questions(deps: PrepareDeps, scheduler: SchedulerController, book: DeviceBook): Pick<Controllers, 'planRollout' | 'shownPlan' | 'whyPod'> {
  return {
    whyPod(namespace, name, node) {
      const answer = scheduler.whyPod(namespace, name, node)
      if (answer?.device === null || answer === null) return answer
      const told = book.peek(answer.device)?.report?.pods.find((pod) => pod.namespace === namespace && pod.name === name)
      return whyPlaced(answer, told ?? null, unreachable(book, answer.device))
    },
    planRollout: (namespace, rollout) => makePlan(deps, namespace, rollout),
    shownPlan: (namespace, planId) => shownPlan(deps.cluster, namespace, planId),
  }
}

function forSessions(book: DeviceBook, events: EventRecorder): Pick<Controllers, 'unreachable' | 'record'> {
  return { unreachable: (device) => unreachable(book, device), record: (happening) => events.record(happening) }
}

function aboutDevices(deps: TopologyLookDeps): Pick<Controllers, 'topologyOf' | 'deviceFacts'> {
  return { topologyOf: topologyLook(deps), deviceFacts: (device) => toldBy(deps.book.peek(device)) }
}

function unreachable(book: DeviceBook, device: string): Cause | null {
  const view = book.peek(device)
  if (view === null || view.sid === null) return cause('node.never-seen')
  if (view.silent !== null) return view.silent
  return view.present ? null : cause('node.silent', { since: view.heardIso ?? 'it disconnected' })
}

function nothing(): void {}

interface Receiver {
  readonly kept: readonly DeviceMessage[]
  take(message: DeviceMessage): void
}

function keepEarly(): Receiver {
  const kept: DeviceMessage[] = []
  return {
    kept,
    take(message) {
      if (kept.length < LIMITS.earlyMessages.value) kept.push(message)
    },
  }
}

/** Devices without a time server believe their clock when it agrees with this. Best effort: the next hello asks again. */
function timeSayer({ link, clock, signingKey, log }: ControllersDeps): (device: string) => void {
  return (device) => {
    const at = new Date(clock.nowMs()).toISOString()
    link
      .sayTime(device, seal('cmd', device, { ask: 'time', at }, signingKey))
      .catch((error: unknown) => log.warn('a device could not be told the time', { device, why: String(error) }))
  }
}
