/** A cloud's controllers with a memory store, and devices that obey at once unless told otherwise. */
import type { ScheduleReport } from '../../protocol/schedule.ts'
import { generateKeyPairSync } from 'node:crypto'
import { startControllers } from '../../cloud/controllers/start-controllers.ts'
import type { Controllers } from '../../cloud/controllers/start-controllers.ts'
import type { Profile } from '../../cloud/core/scheduler/framework.ts'
import { DEFAULT_PROFILE } from '../../cloud/core/scheduler/profile.ts'
import type { DeviceLink, DeviceMessage, Log, Random, Store } from '../../cloud/ports.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'
import { resourceByKind } from '../../cloud/resources/registry.ts'
import { resourceKey } from '../../cloud/resources/object.ts'
import { openMemoryStore } from '../../cloud/store/memory-store.ts'
import { accept } from '../../protocol/accept.ts'
import type { Cause } from '../../protocol/causes.ts'
import { DESIRED_STATE } from '../../protocol/desired-state.ts'
import type { DesiredState } from '../../protocol/desired-state.ts'
import { keyId, open } from '../../protocol/envelope.ts'
import { parse } from '../../protocol/shape.ts'
import type { PodReport } from '../../protocol/status-report.ts'
import { virtualClock } from './virtual-clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

const pair = generateKeyPairSync('ed25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
export const KEY = { kid: keyId(pair.publicKey), privatePem: pair.privateKey }
export const TRUSTED = [{ kid: KEY.kid, publicPem: pair.publicKey }]

export function seededRandom(seed = 1): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const pick = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[Math.floor(next() * alphabet.length)] ?? 'x').join('')
  return {
    next,
    suffix: (length) => pick('bcdfghjklmnpqrstvwxz2456789', length),
    uuid: () => [8, 4, 4, 4, 12].map((length) => pick('0123456789abcdef', length)).join('-'),
  }
}

export interface LogLine {
  readonly level: string
  readonly msg: string
}

export class FakeFleet {
  readonly clock: VirtualClock
  readonly store: Store
  readonly random = seededRandom()
  readonly looked: string[] = []
  /** devices that were asked for their report */
  readonly asked: string[] = []
  /** as with the broker inside the cloud: it forgets with the process, and everybody connects anew */
  brokerIsOurs = false
  readonly published: DesiredState[] = []
  readonly logs: LogLine[] = []
  readonly devices = new Map<string, FakeDevice>()
  connected = true
  controllers: Controllers | null = null
  #onMessage: (message: DeviceMessage) => void = () => undefined
  #onConnected: () => void = () => undefined

  constructor(store: Store = openMemoryStore(), clock: VirtualClock = virtualClock()) {
    this.store = store
    this.clock = clock
  }

  async start(epoch = 1, profiles: readonly Profile[] = [DEFAULT_PROFILE]): Promise<void> {
    this.controllers = await startControllers({
      store: this.store,
      link: this.#link(),
      clock: this.clock,
      random: this.random,
      log: this.#log(),
      signingKey: KEY,
      epoch,
      profiles,
      brokerIsOurs: this.brokerIsOurs,
    })
    await this.clock.advance(10)
  }

  async restart(): Promise<void> {
    await this.controllers?.stop()
    await this.start()
    // who is there is kept by the broker, or said again by each device that comes back to it
    for (const device of this.devices.values()) device.here()
  }

  device(name: string): FakeDevice {
    const found = this.devices.get(name)
    if (found !== undefined) return found
    const device = new FakeDevice(name, (channel, body) => {
      if (this.connected) this.#onMessage({ device: name, channel, body } as DeviceMessage)
    })
    this.devices.set(name, device)
    return device
  }

  async join(...names: readonly string[]): Promise<void> {
    for (const name of names) this.device(name).boot()
    await this.clock.advance(20)
  }

  /** the broker forgets everything and everybody connects again */
  async reconnect(): Promise<void> {
    this.connected = true
    this.#onConnected()
    await this.clock.advance(500)
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const definition = resourceByKind(object.apiVersion, object.kind)
    if (definition === undefined) throw new Error(`no kind ${object.kind}`)
    const metadata = {
      ...(definition.namespaced ? { namespace: 'default' } : {}),
      ...object.metadata,
      uid: this.random.uuid(),
      generation: 1,
      creationTimestamp: new Date(this.clock.nowMs()).toISOString().replace(/\.\d+/, ''),
    }
    const written = await this.store.create(resourceKey(definition), definition.defaults({ ...object, metadata }))
    if (!written.ok) throw new Error(written.why)
    return JSON.parse(written.object.json) as KubeObject
  }

  async edit(resource: string, name: string, edit: (object: Editable) => unknown, namespace = 'default'): Promise<void> {
    const stored = await this.store.get(resource, namespace, name)
    if (stored === null) throw new Error(`no ${resource} ${name}`)
    const before = JSON.parse(stored.json) as Editable
    const object = JSON.parse(stored.json) as Editable
    edit(object)
    if (JSON.stringify(before['spec']) !== JSON.stringify(object['spec']))
      object.metadata['generation'] = Number(before.metadata['generation'] ?? 0) + 1
    const written = await this.store.update(resource, object as unknown as KubeObject, stored.revision)
    if (!written.ok) throw new Error(written.why)
  }

  async list<O extends KubeObject>(resource: string): Promise<readonly O[]> {
    const listed = await this.store.list(resource)
    if (!listed.ok) throw new Error('expired')
    return listed.items.map((stored) => JSON.parse(stored.json) as O)
  }

  #link(): DeviceLink {
    return {
      publishDesired: async (device, message) => {
        if (!this.connected) throw new Error('not connected')
        const opened = open('desired', device, message, TRUSTED)
        if (!opened.ok) throw new Error(opened.why)
        const parsed = parse(DESIRED_STATE, opened.body)
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
        this.published.push(parsed.value)
        this.devices.get(device)?.receive(parsed.value)
      },
      askReport: async (device) => {
        this.asked.push(device)
        this.devices.get(device)?.report()
      },
      askTelemetry: async (device) => void this.looked.push(device),
      sayTime: () => Promise.resolve(),
      onMessage: (handler) => {
        this.#onMessage = handler
      },
      onConnected: (handler) => {
        this.#onConnected = handler
      },
      isConnected: () => this.connected,
      refusals: () => ({}),
      stop: async () => undefined,
    }
  }

  #log(): Log {
    const at = (level: string) => (msg: string) => void this.logs.push({ level, msg })
    return { info: at('info'), warn: at('warn'), error: at('error') }
  }
}

export interface Editable {
  metadata: Record<string, unknown>
  // the tests reach into objects freely
  spec: Record<string, never>
  status: Record<string, never>
  [field: string]: unknown
}

export class FakeDevice {
  readonly name: string
  readonly #send: (channel: DeviceMessage['channel'], body: unknown) => void
  held: DesiredState | null = null
  online = true
  /** pods whose containers it has not yet removed */
  slowToRemove = false
  /** false = it is there, and its inventory is still on its way */
  tellsHardware = true
  numaNodes: readonly { readonly id: number; readonly cpus: string }[] = []
  neverReady = new Set<string>()
  /** images whose placement it refuses, and why */
  refuses = new Map<string, Cause>()
  /** images to which it does not switch, and why; it goes on with what it ran before */
  holdsBack = new Map<string, NonNullable<PodReport['update']>['reason']>()
  /** image -> how a pod of it ended */
  ended = new Map<string, 'Succeeded' | 'Failed'>()
  /** runs that it decided, and their pods */
  schedules: readonly ScheduleReport[] = []
  runPods: readonly DesiredState['pods'][number][] = []
  sid: string
  seq = 0
  cpuMilli = 4000
  memoryBytes = 4 * 1024 ** 3
  refused = 0

  constructor(name: string, send: (channel: DeviceMessage['channel'], body: unknown) => void) {
    this.name = name
    this.#send = send
    this.sid = `${name}-s1`
  }

  boot(sid = this.sid): void {
    this.sid = sid
    this.online = true
    this.seq = 0
    this.here()
    this.send('hello', {
      device: this.name,
      sid,
      agentVersion: '0.1.0',
      formats: [1],
      epoch: this.held?.epoch ?? 0,
      generation: this.held?.generation ?? 0,
      digest: this.held?.digest ?? '',
    })
    this.inventory()
    this.report()
  }

  here(): void {
    this.send('presence', { device: this.name, sid: this.sid, state: 'on' })
  }

  send(channel: DeviceMessage['channel'], body: unknown): void {
    if (this.online) this.#send(channel, body)
  }

  inventory(): void {
    if (!this.tellsHardware) return
    const amounts = { cpu: this.cpuMilli, memory: this.memoryBytes, pids: 32_000, 'ephemeral-storage': 10 * 1024 ** 3, pods: 110 }
    this.send('inventory', {
      device: this.name,
      at: 'now',
      agentVersion: '0.1.0',
      os: { name: 'Debian', kernel: '6.1', arch: 'x64' },
      topology: { threads: 4, onlineCpus: '0-3', numaNodes: this.numaNodes },
      memory: { totalBytes: this.memoryBytes },
      pids: { capacity: 32_000 },
      allocatable: amounts,
      capacity: amounts,
    })
  }

  receive(document: DesiredState): void {
    if (!this.online) return
    const verdict = accept(this.held, null, document).verdict
    if (verdict === 'apply') {
      this.removing = [...(this.held?.pods ?? []).filter((pod) => !document.pods.some((next) => next.uid === pod.uid)), ...this.removing]
      if (!this.slowToRemove) this.removing = []
      for (const pod of this.held?.pods ?? []) if (!this.isHeldBack(pod)) this.#ran.set(pod.uid, pod)
      this.held = document
    } else if (verdict !== 'duplicate') this.refused += 1
    // answers come later, as on a real link
    queueMicrotask(() => this.report())
  }

  removing: readonly DesiredState['pods'][number][] = []
  readonly #ran = new Map<string, DesiredState['pods'][number]>()

  isHeldBack(pod: DesiredState['pods'][number]): boolean {
    return this.#ran.has(pod.uid) && this.holdsBack.has(pod.spec.containers[0]?.image ?? '')
  }

  /** a lost link: the broker sends the will */
  cut(): void {
    this.send('presence', { device: this.name, sid: this.sid, state: 'off' })
    this.online = false
  }

  report(): void {
    this.seq += 1
    const one = (wanted: DesiredState['pods'][number], removing: boolean): unknown => {
      const back = this.isHeldBack(wanted)
      const pod = back ? (this.#ran.get(wanted.uid) ?? wanted) : wanted
      const end = this.ended.get(pod.spec.containers[0]?.image ?? '')
      const refusal = this.refuses.get(pod.spec.containers[0]?.image ?? '')
      const ready =
        end === undefined &&
        refusal === undefined &&
        !removing &&
        pod.policy?.standby !== true &&
        ![...this.neverReady].some((prefix) => pod.spec.containers.some((container) => container.image === prefix))
      return {
        uid: pod.uid,
        namespace: pod.namespace,
        name: pod.name,
        specHash: pod.specHash,
        phase: end ?? (ready ? 'Running' : 'Pending'),
        ready,
        removing,
        ...(refusal === undefined ? {} : { cause: refusal }),
        ...(back ? { update: { reason: this.holdsBack.get(wanted.spec.containers[0]?.image ?? ''), wanted: wanted.specHash } } : {}),
        ...(ready ? { podIP: '172.18.0.2' } : {}),
        containers: pod.spec.containers.map((container) => ({
          name: container.name,
          image: container.image,
          state: end === undefined ? (ready ? 'running' : 'waiting') : 'terminated',
          ...(end === undefined ? {} : { exitCode: end === 'Failed' ? 1 : 0 }),
          ready,
          restartCount: 0,
        })),
      }
    }
    this.send('status', {
      device: this.name,
      sid: this.sid,
      seq: this.seq,
      at: 'now',
      agentVersion: '0.1.0',
      converged: true,
      engine: { reachable: true },
      causes: [],
      hostIP: '10.0.0.1',
      ...(this.held === null ? {} : { desired: { epoch: this.held.epoch, generation: this.held.generation, digest: this.held.digest } }),
      ...(this.schedules.length === 0 ? {} : { schedules: this.schedules }),
      pods: [...[...(this.held?.pods ?? []), ...this.runPods].map((pod) => one(pod, false)), ...this.removing.map((pod) => one(pod, true))],
    })
  }
}

export function deployment(
  name: string,
  replicas: number,
  image: string,
  extra: Readonly<Record<string, unknown>> = {},
  container: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image, ...container }] } },
      ...extra,
    },
  }
}

export function daemonSet(name: string, image: string): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    },
  }
}
