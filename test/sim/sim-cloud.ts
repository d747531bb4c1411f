/** The cloud: a store that survives, and the real controllers over it that do not. The operator writes straight into the store. */
import type { Change, Store, WatchHandlers } from '../../cloud/ports.ts'
import { CPU_POLICY_ANNOTATION } from '../../cloud/core/scheduler/pod-asks.ts'
import { CRON_JOBS } from '../../cloud/resources/cron-job.ts'
import { DAEMON_SETS } from '../../cloud/resources/daemon-set.ts'
import { DEPLOYMENTS } from '../../cloud/resources/deployment.ts'
import { RUN_ON_ANNOTATION } from '../../cloud/resources/device-schedule.ts'
import { NAMESPACES } from '../../cloud/resources/namespace.ts'
import type { KubeObject, ResourceDefinition } from '../../cloud/resources/object.ts'
import { resourceKey } from '../../cloud/resources/object.ts'
import { resourceByKey } from '../../cloud/resources/registry.ts'
import { DISCONNECT_STOP_ANNOTATION, READY_DEADLINE_ANNOTATION, UPDATE_STRATEGY_ANNOTATION } from '../../cloud/resources/update-annotations.ts'
import { openMemoryStore } from '../../cloud/store/memory-store.ts'
import { startControllers } from '../../cloud/controllers/start-controllers.ts'
import type { Controllers } from '../../cloud/controllers/start-controllers.ts'
import type { SigningKey } from '../../protocol/envelope.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { Prng } from './prng.ts'
import type { SimBroker } from './sim-broker.ts'
import { createSimCloudLink } from './sim-links.ts'
import { Machine } from './virtual-time.ts'
import type { ProcessClock, VirtualTime } from './virtual-time.ts'

/** what a new revision has to become ready */
export const READY_DEADLINE_MS = 40_000
const FENCE_MS = 60_000

export interface CloudWorld {
  readonly time: VirtualTime
  readonly broker: SimBroker
  readonly random: Prng
  readonly signingKey: SigningKey
  readonly trace: (line: string) => void
}

export class SimCloud {
  readonly store: Store = openMemoryStore()
  readonly #world: CloudWorld
  readonly #machine: Machine
  #process: { readonly clock: ProcessClock; readonly controllers: Promise<Controllers> } | null = null

  constructor(world: CloudWorld) {
    this.#world = world
    this.#machine = new Machine(world.time)
  }

  get running(): boolean {
    return this.#process !== null
  }

  start(): void {
    if (this.#process !== null) return
    const { broker, random, signingKey, trace } = this.#world
    const clock = this.#machine.process()
    const link = createSimCloudLink(broker, clock)
    const prng = random.fork()
    const line = (level: string) => (msg: string, fields?: unknown) => {
      if (!clock.dead) trace(`cloud ${level} ${msg}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`)
    }
    const controllers = startControllers({
      store: storeOfProcess(this.store, clock),
      link,
      clock,
      random: { next: () => prng.next(), uuid: () => uuid(prng), suffix: (length) => suffix(prng, length) },
      log: { info: line('info'), warn: line('warn'), error: line('error') },
      signingKey,
      epoch: 1,
    })
    controllers.catch((error: unknown) => trace(`cloud could not start: ${String(error)}`))
    this.#process = { clock, controllers }
    link.start()
  }

  crash(): void {
    this.#process?.clock.kill()
    this.#process = null
    this.#world.broker.died('cloud')
  }

  async createNamespace(): Promise<void> {
    await this.#create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  }

  async deploy(name: string, image: string, replicas: number, hostPort: number | null): Promise<void> {
    const spec = { replicas, selector: { matchLabels: { app: name } }, template: template(name, image, hostPort) }
    await this.#apply(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' }, spec })
  }

  /** Each pod has a CPU to itself. */
  async deployAlone(name: string, image: string, replicas: number): Promise<void> {
    const amounts = { cpu: '1', memory: '32Mi' }
    const containers = [{ name: 'main', image, resources: { requests: amounts, limits: amounts } }]
    const metadata = { labels: { app: name }, annotations: { [CPU_POLICY_ANNOTATION]: 'static' } }
    const spec = { replicas, selector: { matchLabels: { app: name } }, template: { metadata, spec: { containers } } }
    await this.#apply(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' }, spec })
  }

  /** One replica, which its device stops when it is alone for long. Made once: what an operator deletes or changes may run beside the new one. */
  async deployFenced(name: string, image: string): Promise<void> {
    const annotations = { [DISCONNECT_STOP_ANNOTATION]: String(FENCE_MS / 1000) }
    const { metadata, spec: pod } = template(name, image, null)
    const spec = {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { ...metadata, annotations }, spec: { ...pod, terminationGracePeriodSeconds: 5 } },
    }
    await this.#apply(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' }, spec })
  }

  /** Every second minute on each device. */
  async schedule(name: string, image: string): Promise<void> {
    const pod = { restartPolicy: 'Never', containers: [{ name: 'main', image }] }
    const metadata = { name, namespace: 'default', annotations: { [RUN_ON_ANNOTATION]: 'device' } }
    const spec = { schedule: '*/2 * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: { backoffLimit: 1, template: { spec: pod } } } }
    await this.#apply(CRON_JOBS, { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec })
  }

  async daemon(name: string, image: string): Promise<void> {
    const spec = { selector: { matchLabels: { app: name } }, template: template(name, image, null) }
    await this.#apply(DAEMON_SETS, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name, namespace: 'default' }, spec })
  }

  /** Updated in place, with little time to become ready. */
  async daemonInPlace(name: string, image: string): Promise<void> {
    const annotations = { [UPDATE_STRATEGY_ANNOTATION]: 'InPlace' }
    const { metadata, spec: pod } = template(name, image, null)
    const spec = {
      selector: { matchLabels: { app: name } },
      updateStrategy: { rollingUpdate: { maxUnavailable: '100%' } },
      template: { metadata: { ...metadata, annotations: { [READY_DEADLINE_ANNOTATION]: String(READY_DEADLINE_MS / 1000) } }, spec: pod },
    }
    await this.#apply(DAEMON_SETS, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name, namespace: 'default', annotations }, spec })
  }

  async remove(resource: 'deployments.apps' | 'daemonsets.apps' | 'cronjobs.batch', name: string): Promise<void> {
    await this.store.delete(resource, 'default', name, null)
  }

  async list(resource: string): Promise<readonly KubeObject[]> {
    const listed = await this.store.list(resource)
    return listed.ok ? listed.items.map((item) => JSON.parse(item.json) as KubeObject) : []
  }

  /** Creates, or changes the spec and raises the generation, as the API does. */
  async #apply<O extends KubeObject>(definition: ResourceDefinition<O>, object: KubeObject): Promise<void> {
    const key = resourceKey(definition)
    const stored = await this.store.get(key, 'default', object.metadata.name ?? '')
    if (stored === null) return this.#create(definition, object)
    const current = JSON.parse(stored.json) as KubeObject
    const changed = { ...current, spec: object['spec'], metadata: { ...current.metadata, generation: (current.metadata.generation ?? 1) + 1 } }
    await this.store.update(key, checked(definition, changed), stored.revision)
  }

  async #create<O extends KubeObject>(definition: ResourceDefinition<O>, object: KubeObject): Promise<void> {
    const metadata = {
      ...object.metadata,
      uid: uuid(this.#world.random),
      generation: 1,
      creationTimestamp: new Date(this.#machine.now().wallMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    }
    await this.store.create(resourceKey(definition), checked(definition, { ...object, metadata }))
  }
}

function checked<O extends KubeObject>(definition: ResourceDefinition<O>, object: KubeObject): KubeObject {
  const general = resourceByKey(resourceKey(definition))
  if (general === undefined) throw new Error(`${definition.kind} is not registered`)
  const filled = general.defaults(object)
  const issues = general.validate(filled, null)
  if (issues.length > 0) throw new Error(`the simulation wrote a bad ${definition.kind}: ${JSON.stringify(issues)}`)
  return filled
}

/** Deployments have both kinds of probe, the daemon none. */
const PROBES: Readonly<Record<string, object>> = {
  a: {
    readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 10 },
    livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 20, failureThreshold: 2 },
  },
  b: { startupProbe: { tcpSocket: { port: 80 }, periodSeconds: 5 }, lifecycle: { postStart: { exec: { command: ['true'] } } } },
}

function template(name: string, image: string, hostPort: number | null): { readonly metadata: object; readonly spec: object } {
  const ports = hostPort === null ? {} : { ports: [{ containerPort: 80, hostPort }] }
  return {
    metadata: { labels: { app: name } },
    spec: { containers: [{ name: 'main', image, resources: { requests: { cpu: '50m', memory: '32Mi' } }, ...ports, ...PROBES[name] }] },
  }
}

/** The store as one process sees it: after its death nothing is answered and no watcher is called. */
function storeOfProcess(store: Store, clock: ProcessClock): Store {
  const alive = async <T>(run: () => Promise<T>): Promise<T> => {
    if (clock.dead) return new Promise<T>(() => undefined)
    const answer = await run()
    return clock.dead ? new Promise<T>(() => undefined) : answer
  }
  const guarded = (handlers: WatchHandlers): WatchHandlers => ({
    onChange: (change: Change) => {
      if (!clock.dead) handlers.onChange(change)
    },
    onExpired: () => {
      if (!clock.dead) handlers.onExpired()
    },
  })
  return {
    get: (...args) => alive(() => store.get(...args)),
    list: (...args) => alive(() => store.list(...args)),
    create: (...args) => alive(() => store.create(...args)),
    update: (...args) => alive(() => store.update(...args)),
    delete: (...args) => alive(() => store.delete(...args)),
    watch: (resource, from, handlers) => store.watch(resource, from, guarded(handlers)),
    revision: () => alive(() => store.revision()),
    getFact: (...args) => alive(() => store.getFact(...args)),
    setFact: (...args) => alive(() => store.setFact(...args)),
    close: () => Promise.resolve(),
  }
}

function uuid(random: Prng): string {
  const hex = (length: number): string => Array.from({ length }, () => random.int(0, 15).toString(16)).join('')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
}

function suffix(random: Prng, length: number): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return Array.from({ length }, () => letters[random.int(0, letters.length - 1)] ?? 'b').join('')
}

export function isReady(pod: KubeObject): boolean {
  const status = pod['status']
  const conditions = isRecord(status) && Array.isArray(status['conditions']) ? status['conditions'] : []
  return conditions.some((condition) => isRecord(condition) && condition['type'] === 'Ready' && condition['status'] === 'True')
}
