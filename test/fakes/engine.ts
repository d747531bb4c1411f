/**
 * A container engine in memory, with the behaviour of dockerd that the agent relies on (held to it by
 * test/contract/engine.contract.ts) and knobs for what goes wrong. Driven by an injected clock: nothing here waits in real time.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { ContainerPlan, EngineInfo, ObservedContainer, Outcome } from '../../edge-agent/core/model.ts'
import type { Clock, Engine, ExecOutcome } from '../../edge-agent/ports.ts'
import { EngineDown, FakeContainers } from './engine-containers.ts'

export type EngineCall = 'info' | 'observe' | 'ensureImage' | 'create' | 'setCpus' | 'start' | 'stop' | 'remove' | 'logs' | 'exec'

/** What a program does once it is started, by image. Absent = it runs until it is stopped. */
export interface FakeProgram {
  readonly exitsAfterMs: number
  readonly exitCode: number
}

export interface FakeEngineOptions {
  readonly clock: Clock
  readonly device: string
  /** images that are on the device from the beginning */
  readonly images?: readonly string[]
  /** images that the registry has; others answer image.pull.not-found */
  readonly registry?: readonly string[]
  /** beside `registry`: what else the registry has */
  readonly registryHas?: (image: string) => boolean
  /** beside `programs`: what a program of that image does */
  readonly programOf?: (image: string) => FakeProgram | undefined
  /** how many calls are remembered; default 1,000 */
  readonly callsKept?: number
}

export class FakeEngine implements Engine {
  readonly #clock: Clock
  readonly #options: FakeEngineOptions
  readonly #containers: FakeContainers
  readonly #watchers = new Set<() => void>()
  readonly #nextFailures = new Map<EngineCall, Cause[]>()
  readonly images: Set<string>
  readonly registry: Set<string>
  readonly programs = new Map<string, FakeProgram>()
  /** exit codes of programs run in containers, by their first word; absent = 0 */
  readonly execCodes = new Map<string, number>([['false', 1]])
  /** every call takes this long; 0 = at once */
  slowMs = 0
  pullMs = 0
  /** calls answer engine.unreachable */
  down = false
  /** calls never answer by themselves, as with SIGSTOP: they fail with engine.timeout after this long */
  hungTimeoutMs: number | null = null
  /** calls made, newest last, for what a test cannot see otherwise; bounded */
  readonly calls: string[] = []

  constructor(options: FakeEngineOptions) {
    this.#clock = options.clock
    this.#options = options
    this.#containers = new FakeContainers(options.device, options.clock)
    this.images = new Set(options.images)
    this.registry = new Set(options.registry)
  }

  /** The next call of that kind fails with this cause; several are used up in order. */
  failNext(call: EngineCall, reason: Cause): void {
    this.#nextFailures.set(call, [...(this.#nextFailures.get(call) ?? []), reason])
  }

  /** Failures that were ordered and not used up are forgotten. */
  clearFailures(): void {
    this.#nextFailures.clear()
  }

  /** The engine stops. Without live restore its containers end with 137. */
  stopDaemon(liveRestore: boolean): void {
    this.down = true
    if (!liveRestore) this.#containers.killAll(137)
  }

  startDaemon(): void {
    this.down = false
    this.hungTimeoutMs = null
    this.#wake()
  }

  /** Everything that ran is gone in one moment; containers and images stay on the disk. */
  powerCut(): void {
    this.down = true
    this.#containers.killAll(255)
  }

  /** A container ends by itself. */
  exit(name: string, exitCode: number, oomKilled = false): void {
    this.#containers.exit(name, exitCode, oomKilled)
    this.#wake()
  }

  /** Everything in the engine, also what carries another device's label. */
  all(): readonly ObservedContainer[] {
    return this.#containers.all()
  }

  /** A container that is not ours holds this name. */
  addForeign(name: string): void {
    this.#containers.addForeign(name)
  }

  info(): Promise<EngineInfo> {
    return this.#read('info', 'info', () => ({ version: 'fake', apiVersion: '1.41', cgroup: '2', storageDriver: 'memory', runtimes: ['runc'] }))
  }

  observe(): Promise<readonly ObservedContainer[]> {
    return this.#read('observe', 'observe', () => this.#containers.ours())
  }

  async ensureImage(image: string, policy: 'Always' | 'IfNotPresent' | 'Never', signal: AbortSignal): Promise<Outcome> {
    const before = await this.#begin('ensureImage', image)
    if (before !== null) return { ok: false, cause: before }
    const present = this.images.has(image)
    if (present && policy !== 'Always') return { ok: true }
    if (policy === 'Never') return { ok: false, cause: cause('image.absent', { image }) }
    await this.#pause(this.pullMs, signal)
    if (signal.aborted) return { ok: false, cause: cause('image.pull.failed', { image, why: 'stopped: the plan changed' }) }
    if (!this.registry.has(image) && this.#options.registryHas?.(image) !== true)
      return present ? { ok: true } : { ok: false, cause: cause('image.pull.not-found', { image }) }
    this.images.add(image)
    return { ok: true }
  }

  create(plan: ContainerPlan): Promise<Outcome> {
    return this.#step('create', plan.identity.name, () => {
      if (plan.network !== 'holder' && !this.images.has(plan.container.image))
        return cause('container.create.failed', { why: `No such image: ${plan.container.image}` })
      return this.#containers.create(plan)
    })
  }

  start(target: string): Promise<Outcome> {
    return this.#step('start', target, () => {
      const failed = this.#containers.start(target)
      const program = failed === null ? this.#programOf(this.#containers.imageOf(target)) : undefined
      const started = this.#containers.startedAt(target)
      if (program !== undefined) {
        this.#clock.at(this.#clock.now().monoMs + program.exitsAfterMs, () => {
          // only if it is still the run that was started here
          if (this.#containers.startedAt(target) === started) this.exit(target, program.exitCode)
        })
      }
      return failed
    })
  }

  setCpus(target: string, cpus: string): Promise<Outcome> {
    return this.#step('setCpus', target, () => this.#containers.setCpus(target, cpus), cpus)
  }

  dropVolumes(_podUid: string): Promise<Outcome> {
    return Promise.resolve({ ok: true })
  }

  stop(target: string, graceSeconds: number): Promise<Outcome> {
    return this.#step(`stop`, target, () => this.#containers.stop(target), `${graceSeconds} s`)
  }

  remove(target: string): Promise<Outcome> {
    return this.#step('remove', target, () => this.#containers.remove(target))
  }

  async exec(target: string, argv: readonly string[]): Promise<ExecOutcome> {
    const before = await this.#begin('exec', `${target} ${argv.join(' ')}`)
    if (before !== null) return { ok: false, cause: before }
    if (this.#containers.startedAt(target) === null) return { ok: false, cause: cause('container.exec.failed', { why: `${target} is not running` }) }
    return { ok: true, exitCode: this.execCodes.get(argv[0] ?? '') ?? 0, output: '', timedOut: false }
  }

  logs(target: string, lines: number): Promise<string> {
    return this.#read('logs', target, () => `${target}: last ${lines} lines\n`)
  }

  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange)
    return () => void this.#watchers.delete(onChange)
  }

  #programOf(image: string): FakeProgram | undefined {
    return this.programs.get(image) ?? this.#options.programOf?.(image)
  }

  async #step(call: EngineCall, what: string, run: () => Cause | null, note = ''): Promise<Outcome> {
    const before = await this.#begin(call, `${what} ${note}`.trim())
    const failed = before ?? run()
    if (failed !== null) return { ok: false, cause: failed }
    this.#wake()
    return { ok: true }
  }

  async #read<T>(call: EngineCall, what: string, run: () => T): Promise<T> {
    const failed = await this.#begin(call, what)
    if (failed !== null) throw new EngineDown(failed)
    return run()
  }

  async #begin(call: EngineCall, what: string): Promise<Cause | null> {
    this.calls.push(`${call} ${what}`)
    if (this.calls.length > (this.#options.callsKept ?? 1_000)) this.calls.shift()
    await this.#pause(this.slowMs)
    if (this.hungTimeoutMs !== null) {
      const seconds = this.hungTimeoutMs / 1000
      await this.#pause(this.hungTimeoutMs)
      return cause('engine.timeout', { seconds, call })
    }
    if (this.down) return cause('engine.unreachable', { since: new Date(this.#clock.now().wallMs).toISOString(), why: 'connect ECONNREFUSED' })
    return this.#nextFailures.get(call)?.shift() ?? null
  }

  #pause(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.at(this.#clock.now().monoMs + ms, resolve)
      signal?.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }

  #wake(): void {
    if (this.down) return
    for (const watcher of this.#watchers) watcher()
  }
}
