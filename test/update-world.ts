/** One device in virtual time: the reducer against a model of an engine, a disk that a reboot reads again, and a cloud that only speaks. */
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { DesiredPod, DesiredState, ObservedContainer, Step } from '../edge-agent/core/model.ts'
import type { OverrideRequest, SavedState } from '../edge-agent/core/saved-model.ts'
import type { AgentEvent, AgentState, Effect } from '../edge-agent/core/state.ts'
import { reduce } from '../edge-agent/core/reducer.ts'
import { fromStored, toStored } from '../edge-agent/store/saved-state.ts'
import { cause } from '../protocol/causes.ts'
import type { DesiredConfig } from '../protocol/desired-state.ts'
import type { PodReport, StatusReport } from '../protocol/status-report.ts'
import { DEVICE, desiredOf } from './agent-world.ts'
import { ModelEngine } from './property/agent-model.ts'

export class Gateway {
  state: AgentState
  engine = new ModelEngine([])
  disk: SavedState | null = null
  nowMs = 1_000
  /** 2026-01-01T00:00:01Z, a Thursday */
  wallMs = 1_767_225_601_000
  /** images that cannot be had */
  readonly missing = new Set<string>()
  /** images whose containers end at once */
  readonly broken = new Set<string>()
  readonly done: string[] = []
  report: StatusReport | null = null
  /** what was told, oldest first */
  readonly told: StatusReport[] = []
  diskWorks = true
  engineAnswers = true
  beforeStep: (step: Step) => void = () => undefined
  afterStep: () => void = () => undefined
  /** what the cloud said last: a broker sends it again on each contact */
  private word: DesiredState | null = null
  private wakeAt: number | null = null
  private queue: AgentEvent[] = []
  private busy = false
  private generation = 0

  constructor() {
    this.state = this.blank()
    this.send({ kind: 'loaded', loaded: { kind: 'none' } })
  }

  /** the cloud tells what to run */
  tell(pods: readonly DesiredPod[], over: { readonly configs?: readonly DesiredConfig[]; readonly issuedAt?: string } = {}): void {
    this.generation += 1
    const desired: DesiredState = { ...desiredOf(pods, this.generation), digest: `${this.generation}`.padStart(64, '0'), ...over }
    this.word = desired
    this.send({ kind: 'target', desired })
  }

  /** the link comes up; `silent`: the document does not come */
  reach(silent = false): void {
    this.send({ kind: 'link', link: { kind: 'up', sinceWallMs: this.wallMs } })
    if (!silent && this.word !== null) this.send({ kind: 'target', desired: this.word })
  }

  lose(): void {
    this.send({ kind: 'link', link: { kind: 'down', sinceWallMs: this.wallMs, why: 'cut', nextTryInMs: null } })
  }

  decide(request: Pick<OverrideRequest, 'kind' | 'podUid'> & Partial<OverrideRequest>): void {
    this.send({ kind: 'override', request: { id: `o${this.nowMs}`, owner: 'anna', reason: 'on site', forMs: 600_000, ...request } })
  }

  /** time passes, from wake to wake */
  pass(ms: number): void {
    const end = this.nowMs + ms
    while (this.wakeAt !== null && this.wakeAt <= end) {
      this.turnClock(Math.max(this.nowMs, this.wakeAt) - this.nowMs)
      this.wakeAt = null
      this.send({ kind: 'tick' })
    }
    this.turnClock(end - this.nowMs)
    this.send({ kind: 'tick' })
  }

  /** time passes while nobody looks */
  leap(ms: number): void {
    this.turnClock(ms)
    this.send({ kind: 'tick' })
  }

  /** the agent ends and comes back with what is on the disk; with `power`, so does everything that ran */
  restart(power = false): void {
    if (power) for (const one of this.engine.list()) this.engine.stop(one)
    this.queue = []
    this.wakeAt = null
    this.state = this.blank()
    const read = this.disk === null ? null : fromStored(JSON.parse(JSON.stringify(toStored(this.disk))))
    if (read !== null && !read.ok) throw new Error(read.why)
    this.send({ kind: 'loaded', loaded: read === null ? { kind: 'none' } : { kind: 'state', state: read.value, fellBack: false } })
  }

  running(uid: string): readonly string[] {
    return this.engine
      .list()
      .filter((one) => one.podUid === uid && one.state === 'running')
      .map((one) => one.image)
  }

  pod(uid: string): PodReport | undefined {
    return this.report?.pods.find((one) => one.uid === uid)
  }

  send(event: AgentEvent): void {
    this.queue.push(event)
    if (this.busy) return
    this.busy = true
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const turn = reduce(this.state, next, { monoMs: this.nowMs, wallMs: this.wallMs })
      this.state = turn.state
      for (const effect of turn.effects) this.perform(effect)
    }
    this.busy = false
  }

  private blank(): AgentState {
    const state = initialState({ device: DEVICE, sid: 's', agentVersion: '1' }, { monoMs: this.nowMs, wallMs: this.wallMs })
    // a time server was heard
    return { ...state, clock: { ...state.clock, proof: { by: 'time-server', offsetMs: this.wallMs - this.nowMs } } }
  }

  private turnClock(ms: number): void {
    this.nowMs += ms
    this.wallMs += ms
  }

  private perform(effect: Effect): void {
    if (effect.kind === 'observe')
      this.queue.push(
        this.engineAnswers
          ? { kind: 'observed', containers: this.engine.list() }
          : { kind: 'observe-failed', cause: cause('engine.unreachable', { socket: 'docker.sock' }) },
      )
    if (effect.kind === 'wake-at') this.wakeAt = effect.monoMs
    if (effect.kind === 'publish-status') {
      this.report = effect.report
      this.told.push(effect.report)
    }
    if (effect.kind === 'save') this.save(effect)
    if (effect.kind === 'run-wave') {
      for (const lane of effect.lanes) this.runLane(effect.wave, lane.steps)
      this.queue.push({ kind: 'wave-done', wave: effect.wave })
    }
  }

  private save({ state, version }: Extract<Effect, { kind: 'save' }>): void {
    if (this.diskWorks) this.disk = state
    const pair = version ?? { epoch: 0, generation: 0 }
    this.queue.push(this.diskWorks ? { kind: 'saved', ...pair } : { kind: 'save-failed', cause: cause('storage.degraded', { why: 'EIO' }) })
  }

  private runLane(wave: number, steps: readonly Step[]): void {
    for (const step of steps) {
      this.beforeStep(step)
      const absent = step.kind === 'ensure-image' && this.missing.has(step.image)
      const outcome = absent
        ? ({ ok: false, cause: cause('image.pull.failed', { image: step.image, why: 'no route' }) } as const)
        : this.engine.run(step)
      this.done.push(step.kind === 'ensure-image' ? `fetch ${step.image}` : step.kind)
      if (step.kind === 'start') this.breakBroken()
      this.afterStep()
      this.queue.push({ kind: 'step-done', wave, step, outcome })
      if (!outcome.ok) return
    }
  }

  private breakBroken(): void {
    for (const one of this.engine.list())
      if (one.state === 'running' && this.broken.has(one.image)) {
        const ended: ObservedContainer = { ...one, state: 'exited', exitCode: 1, finishedAt: `end-${one.startedAt}-${this.nowMs}` }
        this.engine.containers.set(one.id, ended)
      }
  }
}
