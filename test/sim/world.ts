/** The whole world of one run: a cloud, a broker, devices, an operator and an attacker, on one clock and one seed. */
import { generateKeyPairSync } from 'node:crypto'
import { DESIRED_STATE, desiredDigest } from '../../protocol/desired-state.ts'
import { keyId, open, seal } from '../../protocol/envelope.ts'
import type { SigningKey, TrustedKey } from '../../protocol/envelope.ts'
import { isRecord, parse } from '../../protocol/shape.ts'
import { STATUS_REPORT } from '../../protocol/status-report.ts'
import { topicOf } from '../../protocol/topics.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'
import { Invariants, InvariantBroken } from './invariants.ts'
import { FENCED, isOf, isRun, JOB_IMAGE, Once, SCHEDULE } from './once.ts'
import { Prng } from './prng.ts'
import { SimBroker } from './sim-broker.ts'
import { SimCloud } from './sim-cloud.ts'
import { SimDevice } from './sim-device.ts'
import type { EngineAction } from './sim-engine.ts'
import { VirtualTime } from './virtual-time.ts'

export const IMAGES: readonly string[] = ['app:1', 'app:2', 'app:3']
/** its containers end soon after each start */
export const BAD_IMAGE = 'app:bad'
export const ALL_IMAGES: readonly string[] = [...IMAGES, BAD_IMAGE, JOB_IMAGE]

export interface WorldOptions {
  readonly seed: number
  readonly devices: number
  /** there is work that must not run twice, and links are cut for long */
  readonly once?: boolean
  /** a fault that no agent can survive, built in on purpose: proof that the checks bite */
  readonly sabotage?: Sabotage
}

/** trust-anybody: devices take documents signed by the attacker. lying-disk: synced names are lost by a power cut. deaf: no report arrives. */
export type Sabotage = 'trust-anybody' | 'lying-disk' | 'deaf'

export interface KeyPair {
  readonly signing: SigningKey
  readonly trusted: TrustedKey
}

/** Made once a process: keys say nothing about a run. */
export const CLOUD_KEY = makeKey()
export const ATTACKER_KEY = makeKey()

const TRACE_LINES = 4_000

export class World {
  readonly time = new VirtualTime()
  readonly random: Prng
  readonly broker: SimBroker
  readonly cloud: SimCloud
  readonly devices: readonly SimDevice[]
  readonly invariants = new Invariants()
  readonly hasOnce: boolean
  readonly #once = new Once()
  readonly trace: string[] = []
  /** engine actions of agents, counted: a settled world makes none */
  actions = 0
  steps = 0

  constructor(options: WorldOptions) {
    this.random = new Prng(options.seed)
    this.hasOnce = options.once === true
    this.broker = new SimBroker(this.time, this.random.fork())
    const trace = (line: string): void => this.note(line)
    const parts = { time: this.time, broker: this.broker, random: this.random.fork(), trace }
    this.cloud = new SimCloud({ ...parts, signingKey: CLOUD_KEY.signing })
    const watch = (device: SimDevice, action: EngineAction): void => {
      if (!isRun(device, action.target)) this.actions += 1
      this.note(`${device.name} ${action.call} ${action.target.slice(0, 80)}`)
      this.invariants.beforeAction(device, action)
    }
    const trusted = options.sabotage === 'trust-anybody' ? [CLOUD_KEY.trusted, ATTACKER_KEY.trusted] : [CLOUD_KEY.trusted]
    this.broker.deaf = options.sabotage === 'deaf'
    this.devices = Array.from(
      { length: options.devices },
      (_, index) =>
        new SimDevice(
          `gw-${index + 1}`,
          { ...parts, random: this.random.fork(), trusted, images: ALL_IMAGES, diskLies: options.sabotage === 'lying-disk' },
          watch,
        ),
    )
    this.broker.onPublish = (topic, bytes) => this.#lookAt(topic, bytes)
    for (const device of this.devices) {
      device.engine.addForeign('somebody-elses')
      device.engine.programs.set(BAD_IMAGE, { exitsAfterMs: 1_500, exitCode: 1 })
      device.engine.programs.set(JOB_IMAGE, { exitsAfterMs: 5_000, exitCode: 0 })
    }
  }

  note(line: string): void {
    this.trace.push(`${(this.time.nowMs / 1000).toFixed(3).padStart(9)} ${line}`)
    if (this.trace.length > TRACE_LINES) this.trace.shift()
  }

  async start(): Promise<void> {
    await this.cloud.createNamespace()
    this.cloud.start()
    for (const device of this.devices) device.startAgent()
    if (this.hasOnce) await this.cloud.deployFenced(FENCED, 'app:1')
    await this.run(5_000)
  }

  async run(ms: number): Promise<void> {
    await this.time.runUntil(this.time.nowMs + ms, () => {
      this.steps += 1
      this.invariants.always(this.devices, this.broker, this.time.nowMs)
      const twice = this.hasOnce ? this.#once.broken(this.devices, this.time.nowMs) : null
      if (twice !== null) throw new InvariantBroken(twice)
      if (this.steps % 50 === 0) for (const device of this.devices) this.invariants.pageAnswers(device)
    })
  }

  /** Why the world has not converged yet, or null: engines, cloud objects and desired states must all say the same. */
  async unsettled(): Promise<string | null> {
    const pods = (await this.cloud.list('pods')).filter((pod) => !isOf(SCHEDULE, pod.metadata.name ?? ''))
    const live = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    const bad = new Set(live.filter((pod) => imageOf(pod['spec']) === BAD_IMAGE).map((pod) => pod.metadata.uid ?? ''))
    for (const device of this.devices) {
      // until it is back, its time alone may still run out
      if (this.hasOnce && device.state()?.link.kind !== 'up') return `${device.name} is not in contact`
      const broken = brokenUpdate(device, bad)
      if (broken !== null) return broken
      const wanted = pods
        .filter(
          (pod) =>
            !bad.has(pod.metadata.uid ?? '') &&
            isRecord(pod['spec']) &&
            pod['spec']['nodeName'] === device.name &&
            pod.metadata.deletionTimestamp === undefined &&
            !isEvicted(pod),
        )
        .map((pod) => pod.metadata.uid)
      const ours = device.engine.all().filter((one) => one.podUid !== '' && !bad.has(one.podUid) && !isOf(SCHEDULE, one.podName))
      const running = ours.filter((one) => one.state === 'running').map((one) => one.podUid)
      if (ours.length !== running.length || wanted.length !== running.length || wanted.some((uid) => !running.includes(uid ?? ''))) {
        return `${device.name} runs ${running.length} of ${ours.length} containers, the cloud wants ${wanted.length} pods`
      }
      // what is freed by an end is given to the others in a wave of its own
      if (bad.size === 0 && (device.state()?.plan.waves.length ?? 0) > 0) return `${device.name} has work at hand`
      if (device.state()?.timing.fresh === false) return `${device.name} has not looked at its engine since its last work`
    }
    for (const kind of ['deployments.apps', 'daemonsets.apps']) {
      for (const object of await this.cloud.list(kind)) {
        if (imageOf(isRecord(object['spec']) && isRecord(object['spec']['template']) ? object['spec']['template']['spec'] : null) === BAD_IMAGE)
          continue
        const fault = unready(object.kind, object['spec'], object['status'], this.devices.length)
        if (fault !== null) return `${object.kind} ${object.metadata.name ?? ''}: ${fault}`
      }
    }
    const unreported = pods.find(
      (pod) => !bad.has(pod.metadata.uid ?? '') && !isEvicted(pod) && (!isRecord(pod['status']) || pod['status']['phase'] !== 'Running'),
    )
    return unreported === undefined ? null : `pod ${unreported.metadata.name ?? ''} is not Running in the cloud`
  }

  /** A bad revision that has nothing to return to is started again and again. */
  async isRestless(): Promise<boolean> {
    const bad = (await this.cloud.list('pods')).filter((pod) => imageOf(pod['spec']) === BAD_IMAGE).map((pod) => pod.metadata.uid ?? '')
    return bad.some((uid) => this.devices.some((device) => device.state()?.updates?.records[uid]?.healthy === null))
  }

  /** A forged or replayed message in the place of the desired state. */
  attack(device: SimDevice): void {
    const topic = topicOf('default', device.name, 'desired')
    const kept = this.broker.retained(topic)
    const body = { device: device.name, epoch: 99, generation: 99, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest([]), pods: [] }
    const other = this.devices.find((one) => one !== device)
    const stolen = other === undefined ? undefined : this.broker.retained(topicOf('default', other.name, 'desired'))
    const forged = [
      new Uint8Array(),
      seal('desired', device.name, body, null),
      seal('desired', device.name, body, ATTACKER_KEY.signing),
      stolen,
      kept === undefined ? undefined : flip(kept, this.random.int(0, kept.byteLength - 1)),
      kept?.subarray(0, kept.byteLength >> 1),
    ]
    // a second brain with the right key: the number that the device holds, with other content (I12). Not retained: a device that lost its
    // state file at that moment could not tell the two apart, it keeps the number of what it held and not the digest
    const held = device.state()?.desired
    if (held !== undefined && held !== null && this.random.chance(0.2)) {
      return this.broker.inject(topic, seal('desired', device.name, { ...held, digest: desiredDigest([]), pods: [] }, CLOUD_KEY.signing), false)
    }
    const message = this.random.pick(forged)
    if (message !== undefined) this.broker.inject(topic, message, this.random.chance(0.5))
  }

  #lookAt(topic: string, bytes: Uint8Array): void {
    const [, , , device = '', channel] = topic.split('/')
    if (channel === 'status') {
      const report = open('status', device, bytes, null)
      const parsed = report.ok ? parse(STATUS_REPORT, report.body) : null
      if (parsed?.ok === true) this.invariants.truthful(device, parsed.value, this.time.nowMs)
    }
    if (channel !== 'desired') return
    const opened = open('desired', device, bytes, [CLOUD_KEY.trusted])
    const parsed = opened.ok ? parse(DESIRED_STATE, opened.body) : null
    if (parsed?.ok === true) this.invariants.signed(device, parsed.value)
  }
}

function imageOf(spec: unknown): unknown {
  const containers = isRecord(spec) ? spec['containers'] : null
  const [first]: readonly unknown[] = Array.isArray(containers) ? containers : []
  return isRecord(first) ? first['image'] : undefined
}

/**
 * A pod whose newest revision is bad: where one was healthy before, it runs again, alone, and its device says why. Where none
 * was, nothing is asked.
 */
function brokenUpdate(device: SimDevice, bad: ReadonlySet<string>): string | null {
  for (const [uid, record] of Object.entries(device.state()?.updates?.records ?? {})) {
    if (!bad.has(uid) || record.healthy === null) continue
    const ours = device.engine.all().filter((one) => one.podUid === uid)
    const healthy = ours.filter((one) => one.state === 'running' && one.specHash === record.healthy)
    if (ours.length !== 1 || healthy.length !== 1) return `${device.name}: pod ${uid} does not run its last healthy revision`
    const reason = device.state()?.updates?.pending[uid]?.reason
    if (reason !== 'RolledBack') return `${device.name}: pod ${uid} says ${reason ?? 'nothing'} about its bad revision`
  }
  return null
}

/** It stays as a record until somebody deletes it. */
function isEvicted(pod: KubeObject): boolean {
  const status = pod['status']
  return isRecord(status) && status['phase'] === 'Failed' && status['reason'] === 'Evicted'
}

function unready(kind: string, spec: unknown, status: unknown, devices: number): string | null {
  if (!isRecord(spec) || !isRecord(status)) return 'it has no status'
  const [want, ...seen] =
    kind === 'DaemonSet'
      ? [devices, status['numberReady'], status['updatedNumberScheduled']]
      : [spec['replicas'], status['readyReplicas'] ?? 0, status['updatedReplicas'] ?? 0, status['replicas'] ?? 0]
  return seen.every((count) => count === want) ? null : `ready, updated, all: ${JSON.stringify(seen)} of ${JSON.stringify(want)}`
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x20
  return copy
}

function makeKey(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const kid = keyId(publicPem)
  return { signing: { kid, privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, trusted: { kid, publicPem } }
}
