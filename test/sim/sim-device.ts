/** One gateway: engine, disk and clocks that outlive the agent process, and the real agent loop over the real state store. */
import { initialState } from '../../edge-agent/core/initial-state.ts'
import type { AgentState } from '../../edge-agent/core/state.ts'
import type { CloudLink, Log } from '../../edge-agent/ports.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { watchPressure } from '../../edge-agent/runtime/pressure-watch.ts'
import { repeat } from '../../edge-agent/runtime/timers.ts'
import type { PressureSample } from '../../edge-agent/core/pressure-model.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import type { TrustedKey } from '../../protocol/envelope.ts'
import { parseIdList } from '../../protocol/id-list.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { FakeDisk } from '../fakes/disk.ts'
import type { Torn } from '../fakes/disk.ts'
import { FakeEngine } from '../fakes/engine.ts'
import { FakeProber } from '../fakes/prober.ts'
import { createSimAgentLink } from './sim-links.ts'
import { diskOfProcess } from './sim-disk.ts'
import { engineOfProcess } from './sim-engine.ts'
import type { EngineAction, EngineWatch } from './sim-engine.ts'
import type { Prng } from './prng.ts'
import type { SimBroker } from './sim-broker.ts'
import { Machine } from './virtual-time.ts'
import type { ProcessClock, VirtualTime } from './virtual-time.ts'

export interface DeviceWorld {
  readonly time: VirtualTime
  readonly broker: SimBroker
  readonly random: Prng
  readonly trusted: readonly TrustedKey[]
  readonly images: readonly string[]
  readonly diskLies: boolean
  readonly trace: (line: string) => void
}

interface Agent {
  readonly sid: string
  readonly clock: ProcessClock
  readonly loop: Loop
  readonly link: CloudLink
  readonly unwatch: () => void
}

const PLENTY_MI = 2_048

const SILENT_WATCHDOG = { watch: () => () => undefined, stop: () => undefined }

export class SimDevice {
  readonly name: string
  readonly machine: Machine
  readonly engine: FakeEngine
  readonly prober = new FakeProber()
  /** memory that the host has left */
  availableMi = PLENTY_MI
  onlineCpus = '0-3'
  readonly #world: DeviceWorld
  #disk = new FakeDisk()
  #agent: Agent | null = null
  #starts = 0
  #hostClock: ProcessClock
  readonly #watch: EngineWatch

  /** @param watch sees every engine call of the agent before it is made */
  constructor(name: string, world: DeviceWorld, watch: (device: SimDevice, call: EngineAction) => void) {
    this.#watch = (call) => watch(this, call)
    this.name = name
    this.#world = world
    this.machine = new Machine(world.time)
    this.#hostClock = this.machine.process()
    const host = this.machine
    // the engine's timers belong to the host, not to the agent
    this.engine = new FakeEngine({
      clock: { now: () => host.now(), at: (ms, run) => this.#hostClock.at(ms, run) },
      device: name,
      images: [],
      registry: world.images,
    })
    this.engine.slowMs = world.random.int(1, 60)
    this.engine.pullMs = world.random.int(10, 3_000)
  }

  get running(): boolean {
    return this.#agent !== null
  }

  /** the agent's state, or null while no agent runs */
  state(): AgentState | null {
    return this.#agent?.loop.state() ?? null
  }

  /** files of the state directory as a process sees them */
  get disk(): FakeDisk {
    return this.#disk
  }

  startAgent(): void {
    if (this.#agent !== null) return
    this.#starts += 1
    const sid = `${this.name}-s${this.#starts}`
    const { broker, random, trusted, trace, diskLies } = this.#world
    const clock = this.machine.process()
    const log = this.#log(trace)
    const store = openStateStore('/state', { log, disk: diskOfProcess(this.#disk, clock, random.fork(), diskLies) })
    const link = createSimAgentLink({ device: this.name, sid, broker, clock, random: random.fork(), trusted })
    const loop = startLoop({
      initial: initialState({ device: this.name, sid, agentVersion: 'sim' }, clock.now()),
      ports: { engine: engineOfProcess(this.engine, clock, this.#watch), store, link, clock, log, watchdog: SILENT_WATCHDOG, prober: this.prober },
      onBroken: (event, error) => {
        throw new Error(`${this.name}: the reducer failed on ${event.kind}: ${String(error)}`)
      },
    })
    const dispatch: Loop['dispatch'] = (event) => {
      if (!clock.dead) loop.dispatch(event)
    }
    const unwatch = this.engine.watch(() => dispatch({ kind: 'engine-event' }))
    this.#agent = { sid, clock, loop, link, unwatch }
    repeat(clock, random.fork(), LIMITS.observeIdleMs.value, () => dispatch({ kind: 'tick' }))
    const sample = (): Promise<PressureSample> =>
      Promise.resolve({ levels: { memory: { available: this.availableMi * 2 ** 20, total: 4 * 2 ** 30 } }, usage: {} })
    const disk = { volumes: async () => ({}), all: async () => ({ containers: {}, pods: {} }), reclaim: async () => undefined }
    watchPressure({ clock, random: random.fork(), loop: { state: loop.state, dispatch }, sample, disk })
    void store.load().then((loaded) => {
      dispatch({ kind: 'loaded', loaded })
      dispatch({ kind: 'inventory', inventory: this.#inventory(), hostIp: null })
    })
    link.start({
      onTarget: (desired) => dispatch({ kind: 'target', desired }),
      onTargetRefused: (cause) => dispatch({ kind: 'target-refused', cause }),
      onState: (state) => dispatch({ kind: 'link', link: state }),
      onReportAsked: () => dispatch({ kind: 'report-asked' }),
      onCloudTime: (atWallMs) => dispatch({ kind: 'cloud-time', atWallMs }),
      hello: () => this.#hello(loop.state(), sid),
    })
  }

  /** Other hardware, as the agent's next look finds it. */
  changeCpus(onlineCpus: string): void {
    this.onlineCpus = onlineCpus
    this.#agent?.loop.dispatch({ kind: 'inventory', inventory: this.#inventory(), hostIp: null })
  }

  /** Probes fail until `recover`. */
  fallSick(): void {
    this.prober.answer = () => ({ verdict: 'failure', message: 'simulated' })
  }

  recover(): void {
    this.prober.answer = () => ({ verdict: 'success', message: '' })
    this.availableMi = PLENTY_MI
  }

  /** kill -9: memory is gone, the page cache is not */
  killAgent(): void {
    const agent = this.#agent
    if (agent === null) return
    agent.clock.kill()
    this.#agent = null
    agent.unwatch()
    this.#world.broker.died(this.name)
  }

  /** Power off and on: unsynced writes may be lost or torn, containers end, the monotonic clock starts again. */
  powerCut(): void {
    const { random } = this.#world
    this.killAgent()
    const torn: Torn = random.pick(['empty', 'half', 'zeros', 'whole'] as const) ?? 'whole'
    this.#disk = this.#disk.afterCut(random.int(0, 2 ** Math.min(this.#disk.pendingNames, 20) - 1), torn)
    this.#hostClock.kill()
    this.#hostClock = this.machine.process()
    this.engine.powerCut()
    this.machine.reboot()
  }

  #log(trace: (line: string) => void): Log {
    const line =
      (level: string) =>
      (msg: string, fields?: unknown): void =>
        trace(`${this.name} ${level} ${msg}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`)
    return { info: line('info'), warn: line('warn'), error: line('error') }
  }

  #hello(state: AgentState, sid: string) {
    const floor = state.floor ?? { epoch: 0, generation: 0 }
    return {
      device: this.name,
      sid,
      agentVersion: 'sim',
      formats: [1],
      epoch: floor.epoch,
      generation: floor.generation,
      digest: state.desired?.digest ?? '',
    }
  }

  #inventory(): Inventory {
    const amounts = { cpu: 4_000, memory: 4 * 2 ** 30, pids: 30_000, pods: 110, 'ephemeral-storage': 64 * 2 ** 30 }
    return {
      device: this.name,
      at: new Date(this.machine.now().wallMs).toISOString(),
      agentVersion: 'sim',
      os: { arch: 'arm64' },
      topology: { threads: parseIdList(this.onlineCpus)?.length ?? 1, onlineCpus: this.onlineCpus, numaNodes: [{ id: 0, cpus: this.onlineCpus }] },
      memory: { totalBytes: amounts.memory },
      pids: { capacity: amounts.pids },
      allocatable: { ...amounts, cpu: 3_900 },
      capacity: amounts,
    }
  }
}
