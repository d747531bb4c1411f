/** A device for tests of schedules: the real reducer, a disk that may lose the last write, an engine of a few lines, clocks to turn. */
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { Lane, ObservedContainer } from '../edge-agent/core/model.ts'
import type { Loaded, SavedState } from '../edge-agent/core/saved-model.ts'
import { trustedWallMs } from '../edge-agent/core/clock-trust.ts'
import { cronAt } from '../edge-agent/core/on-cron.ts'
import type { AgentEvent, AgentState, Effect } from '../edge-agent/core/state.ts'
import { reduce } from '../edge-agent/core/reducer.ts'
import { fromStored, toStored } from '../edge-agent/store/saved-state.ts'
import type { DesiredSchedule } from '../protocol/schedule.ts'
import { DEVICE, desiredOf, fullHash } from './agent-world.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export function schedule(change: Partial<DesiredSchedule> = {}): DesiredSchedule {
  return {
    uid: 'c1',
    namespace: 'default',
    name: 'backup',
    schedule: '0 * * * *',
    concurrency: 'Allow',
    sinceMs: 0,
    keepComplete: 3,
    keepFailed: 1,
    backoffLimit: 6,
    pod: {
      specHash: fullHash('a1'),
      spec: { restartPolicy: 'Never', containers: [{ name: 'job', image: 'job:1', imagePullPolicy: 'IfNotPresent' }] },
      pids: 64,
    },
    ...change,
  }
}

export class CronHost {
  /** true time; wall time is this plus `wrongBy` */
  trueMs: number
  wrongBy = 0
  bootedAtMs: number
  state: AgentState | null = null
  disk: SavedState | null = null
  containers: ObservedContainer[] = []
  /** every start of a container: which run it was */
  readonly starts: { readonly uid: string; readonly dueMs: number; readonly era: number; readonly attempt: number; readonly atTrueMs: number }[] = []
  zone = 'UTC'
  generation = 1
  /** how a container ends, and after how long; null = it runs on */
  ends: { readonly code: number; readonly afterMs: number } | null = { code: 0, afterMs: 1_000 }
  diskFails = false
  /** saves that went well */
  saves = 0
  /** a time server answers */
  synced = true
  wakeAt: number | null = null
  /** how often the agent is woken without having asked */
  tickMs = 30_000
  readonly logs: string[] = []
  decidedInDoubt = 0
  #schedules: readonly DesiredSchedule[]
  #queue: AgentEvent[] = []
  #busy = false

  constructor(startMs: number, schedules: readonly DesiredSchedule[]) {
    this.trueMs = startMs
    this.bootedAtMs = startMs - 5_000
    this.#schedules = schedules
    this.disk = { desired: this.#document(), floor: { epoch: 1, generation: 1 }, ledger: {} }
    this.startAgent()
  }

  now() {
    return { monoMs: this.trueMs - this.bootedAtMs, wallMs: this.trueMs + this.wrongBy }
  }

  #document() {
    return { ...desiredOf([], this.generation), schedules: this.#schedules }
  }

  publish(schedules: readonly DesiredSchedule[]): void {
    this.#schedules = schedules
    this.generation += 1
    this.send({ kind: 'target', desired: this.#document() })
  }

  startAgent(): void {
    const stored = this.disk === null ? null : fromStored(JSON.parse(JSON.stringify(toStored(this.disk))))
    if (stored !== null && !stored.ok) throw new Error(`the saved state cannot be read: ${stored.why}`)
    const loaded: Loaded = stored === null ? { kind: 'none' } : { kind: 'state', state: stored.value, fellBack: false }
    const fresh = initialState({ device: DEVICE, sid: 's', agentVersion: '1' }, this.now())
    this.state = { ...fresh, cron: { ...fresh.cron, zone: this.zone } }
    this.#queue = []
    this.wakeAt = null
    this.send({ kind: 'loaded', loaded })
    this.look()
  }

  kill(): void {
    this.state = null
  }

  /** Containers end, the monotonic clock starts again; the clock of a board without a battery stands where `wrongBy` says. */
  reboot(downMs: number): void {
    this.kill()
    this.containers = this.containers.map((one) => (one.state === 'running' ? { ...one, state: 'exited', exitCode: 137, finishedAt: 'x' } : one))
    this.trueMs += downMs
    this.bootedAtMs = this.trueMs - 1_000
    this.startAgent()
  }

  look(): void {
    const traces: Record<string, number> = this.synced ? { sync: this.now().wallMs } : {}
    this.send({ kind: 'clock', facts: { uptimeMs: this.now().monoMs, traces, hardwareMs: null } })
  }

  /** Time passes as on a device: the agent is woken when it asked for it and every half minute. */
  pass(ms: number): this {
    const end = this.trueMs + ms
    while (this.trueMs < end) {
      const asked = this.#nextWake()
      this.trueMs = Math.min(end, this.trueMs + this.tickMs, Math.max(asked, this.trueMs + 1))
      this.#endContainers()
      this.send({ kind: 'tick' })
    }
    return this
  }

  /** All that was asked for, but with a long `tickMs` without the idle looks at the engine: they make days of virtual time slow. */
  #nextWake(): number {
    if (this.state === null || this.wakeAt === null) return Infinity
    const asked = this.wakeAt + this.bootedAtMs
    if (this.tickMs <= 30_000 || asked <= this.trueMs + 2_000) return asked
    const running =
      this.ends === null ? [] : this.containers.filter(({ state }) => state === 'running').map(({ startedAt }) => Date.parse(startedAt ?? ''))
    return Math.min((cronAt(this.state) ?? Infinity) + this.bootedAtMs, ...running.map((at) => at + (this.ends?.afterMs ?? 0)))
  }

  step(ms: number): this {
    this.wrongBy += ms
    return this
  }

  /** how often each run began, by `era/due` */
  began(): ReadonlyMap<string, number> {
    const found = new Map<string, number>()
    for (const one of this.starts) if (one.attempt === 0) found.set(`${one.era}/${one.dueMs}`, (found.get(`${one.era}/${one.dueMs}`) ?? 0) + 1)
    return found
  }

  dueTimes(): readonly string[] {
    return this.starts.filter(({ attempt }) => attempt === 0).map(({ dueMs }) => new Date(dueMs).toISOString().slice(0, 16))
  }

  send(event: AgentEvent): void {
    if (this.state === null) return
    this.#queue.push(event)
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#queue.shift(); next !== undefined && this.state !== null; next = this.#queue.shift()) {
      const { state, effects } = reduce(this.state, next, this.now())
      this.state = state
      for (const effect of effects) this.#run(effect)
    }
    this.#busy = false
  }

  #run(effect: Effect): void {
    if (effect.kind === 'wake-at') this.wakeAt = effect.monoMs
    if (effect.kind === 'log') {
      this.logs.push(effect.msg)
      const doubt = this.state === null || trustedWallMs(this.state.clock, this.now()) === null
      if (effect.msg === 'a scheduled run begins' && doubt) this.decidedInDoubt += 1
    }
    if (effect.kind === 'observe') this.#queue.push({ kind: 'observed', containers: this.containers })
    if (effect.kind === 'run-wave') {
      for (const lane of effect.lanes) this.#lane(effect.wave, lane)
      this.#queue.push({ kind: 'wave-done', wave: effect.wave }, { kind: 'engine-event' })
    }
    if (effect.kind === 'save') {
      const { epoch, generation } = effect.version ?? effect.state.floor ?? { epoch: 0, generation: 0 }
      if (this.diskFails) this.#queue.push({ kind: 'save-failed', cause: { code: 'storage.degraded', facts: { why: 'full' } } })
      else {
        this.disk = effect.state
        this.saves += 1
        this.#queue.push({ kind: 'saved', epoch, generation })
      }
    }
  }

  #lane(wave: number, { steps }: Lane): void {
    for (const step of steps) {
      if (step.kind === 'create') this.#create(step.plan)
      if (step.kind === 'start') this.#start(step.target)
      if (step.kind === 'stop') this.#change(step.target, { state: 'exited', exitCode: 137, finishedAt: 'x' })
      if (step.kind === 'remove') this.containers = this.containers.filter(({ id, name }) => id !== step.target && name !== step.target)
      this.#queue.push({ kind: 'step-done', wave, step, outcome: { ok: true } })
    }
  }

  #create({ identity, container }: Extract<Lane['steps'][number], { kind: 'create' }>['plan']): void {
    if (this.containers.some(({ name }) => name === identity.name)) return
    this.containers = [
      ...this.containers,
      {
        ...identity,
        id: `id-${identity.name}`,
        image: container.image,
        imageId: null,
        state: 'created',
        exitCode: null,
        oomKilled: false,
        startedAt: null,
        finishedAt: null,
        error: '',
        ip: null,
      },
    ]
  }

  #start(target: string): void {
    const found = this.containers.find(({ id, name }) => id === target || name === target)
    const run = this.state?.desired?.pods.find(({ uid }) => uid === found?.podUid)?.run
    if (run !== undefined && found?.startedAt === null) {
      const { schedule: uid, dueMs, era, attempt } = run
      this.starts.push({ uid, dueMs, era, attempt, atTrueMs: this.trueMs })
    }
    this.#change(target, { state: 'running', startedAt: new Date(this.trueMs).toISOString() })
  }

  #change(target: string, change: Partial<ObservedContainer>): void {
    this.containers = this.containers.map((one) => (one.id === target || one.name === target ? { ...one, ...change } : one))
  }

  #endContainers(): void {
    const { ends } = this
    if (ends === null) return
    let changed = false
    this.containers = this.containers.map((one) => {
      if (one.state !== 'running' || Date.parse(one.startedAt ?? '') + ends.afterMs > this.trueMs) return one
      changed = true
      return { ...one, state: 'exited', exitCode: ends.code, finishedAt: new Date(this.trueMs).toISOString() }
    })
    if (changed) this.send({ kind: 'engine-event' })
  }
}
