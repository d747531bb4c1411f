/**
 * One pretend gateway: the real agent loop, the real MQTT link and the real inbound checks over an engine, a disk and hardware in
 * memory. INVARIANTS: engine, state and session outlive a cut of the link; a link that was cut is closed before the next one opens.
 */
import { hello } from '../../edge-agent/hello.ts'
import { initialState } from '../../edge-agent/core/initial-state.ts'
import type { SavedState } from '../../edge-agent/core/saved-model.ts'
import { isConverged } from '../../edge-agent/core/report.ts'
import { createMqttLink } from '../../edge-agent/link/mqtt-link.ts'
import type { CloudLink, Log, StateStore } from '../../edge-agent/ports.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { systemClock, systemRandom } from '../../edge-agent/runtime/system-clock.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { FakeEngine } from '../../test/fakes/engine.ts'
import { FakeProber } from '../../test/fakes/prober.ts'
import type { Prng } from '../../test/sim/prng.ts'
import type { DeviceLook, JoinFacts, Progress, Temper } from './messages.ts'

const QUIET: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const NO_WATCHDOG = { watch: () => () => undefined, stop: () => undefined }
const MI = 1024 ** 2

/** `Progress` and `Traffic` while they are being added up. */
export type SummedProgress = { -readonly [K in keyof Progress]: number }
export interface SummedTraffic {
  readonly messages: { up: number; down: number }
  readonly bytes: { up: number; down: number }
}

export class PretendDevice {
  readonly name: string
  readonly #join: JoinFacts
  readonly #engine: FakeEngine
  readonly #loop: Loop
  readonly #sid: string
  #link: CloudLink | null = null
  #up = false
  /** the last report that said "converged": of which document, and when */
  #done = { generation: 0, atMs: 0 }
  #converged = false
  #marked = 0
  #messages = { up: 0, down: 0 }
  #bytesBefore = { up: 0, down: 0 }

  constructor(name: string, join: JoinFacts, temper: Temper, random: Prng) {
    this.name = name
    this.#join = join
    this.#sid = `${name}-${random.int(0, 2 ** 31).toString(36)}`
    const broken = new RegExp(temper.badImages)
    this.#engine = new FakeEngine({
      clock: systemClock,
      device: name,
      callsKept: 0,
      registryHas: (image) => temper.bad !== 'no-image' || !broken.test(image),
      programOf: (image) => (temper.bad === 'crash' && broken.test(image) ? { exitsAfterMs: 200, exitCode: 1 } : undefined),
    })
    this.#engine.slowMs = temper.slowMs === 0 ? 0 : random.int(1, temper.slowMs)
    this.#engine.pullMs = temper.pullMs === 0 ? 0 : random.int(1, temper.pullMs)
    this.#loop = this.#start()
  }

  /** Boots: the saved state first, then, when asked, the cloud. */
  boot(): void {
    this.#loop.dispatch({ kind: 'loaded', loaded: { kind: 'none' } })
    this.#loop.dispatch({ kind: 'inventory', inventory: inventoryOf(this.name), hostIp: null })
  }

  connect(): void {
    if (this.#link !== null) return
    const { url, tenant, username, password, trustedKeys } = this.#join
    const link = createMqttLink(
      { url, tenant, device: this.name, sid: this.#sid, trusted: trustedKeys, username, password },
      { clock: systemClock, random: systemRandom, log: QUIET },
    )
    this.#link = link
    link.start({
      onTarget: (desired) => {
        this.#messages.down += 1
        this.#loop.dispatch({ kind: 'target', desired })
      },
      onTargetRefused: (cause) => this.#loop.dispatch({ kind: 'target-refused', cause }),
      onState: (state) => {
        this.#up = state.kind === 'up'
        this.#loop.dispatch({ kind: 'link', link: state })
      },
      onReportAsked: () => {
        this.#messages.down += 1
        this.#loop.dispatch({ kind: 'report-asked' })
      },
      hello: () => {
        this.#messages.up += 2
        return hello(this.#loop.state(), this.#sid, [])
      },
    })
  }

  /** The cable is pulled: what runs goes on. */
  async cut(): Promise<void> {
    const link = this.#link
    if (link === null) return
    this.#bytesBefore = this.#allBytes()
    this.#link = null
    this.#up = false
    await link.stop()
    this.#loop.dispatch({ kind: 'link', link: { kind: 'down', sinceWallMs: Date.now(), why: 'the cable was pulled', nextTryInMs: null } })
  }

  /** documents after the one that is held now are beyond this mark */
  mark(): void {
    this.#marked = this.#loop.state().desired?.generation ?? 0
  }

  addProgress(into: SummedProgress): void {
    if (this.#up) into.up += 1
    if (this.#converged) into.converged += 1
    if (this.#converged && this.#done.generation > this.#marked) into.beyond += 1
  }

  addTraffic(into: SummedTraffic): void {
    into.messages.up += this.#messages.up
    into.messages.down += this.#messages.down
    const { up, down } = this.#allBytes()
    into.bytes.up += up
    into.bytes.down += down
  }

  look(): DeviceLook {
    const state = this.#loop.state()
    const pods = state.report.last?.pods ?? []
    return {
      name: this.name,
      up: this.#up,
      link: state.link.kind === 'down' ? `down: ${state.link.why}` : state.link.kind,
      generation: state.desired?.generation ?? 0,
      converged: isConverged(state),
      done: this.#done,
      ready: pods.filter((pod) => pod.ready).flatMap((pod) => pod.containers.map(({ image }) => image)),
      unready: pods.filter((pod) => !pod.ready).flatMap((pod) => pod.containers.map(({ image }) => image)),
      messages: { ...this.#messages },
      bytes: this.#allBytes(),
    }
  }

  #allBytes(): { readonly up: number; readonly down: number } {
    let { up, down } = this.#bytesBefore
    for (const row of Object.values(this.#link?.traffic() ?? {})) {
      up += row.up
      down += row.down
    }
    return { up, down }
  }

  #start(): Loop {
    const loop: Loop = startLoop({
      initial: initialState({ device: this.name, sid: this.#sid, agentVersion: 'pretend' }, systemClock.now()),
      ports: {
        engine: this.#engine,
        store: memoryStore(),
        log: QUIET,
        clock: systemClock,
        prober: new FakeProber(),
        watchdog: NO_WATCHDOG,
        link: {
          publishStatus: (report) => {
            this.#messages.up += 1
            this.#converged = report.converged
            if (report.converged) this.#done = { generation: report.desired?.generation ?? 0, atMs: Date.now() }
            this.#link?.publishStatus(report)
          },
          publishInventory: (inventory) => {
            this.#messages.up += 1
            this.#link?.publishInventory(inventory)
          },
        },
      },
      onBroken: (event, error) => {
        throw new Error(`${this.name}: the reducer failed on ${event.kind}: ${String(error)}`)
      },
    })
    this.#engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
    return loop
  }
}

function memoryStore(): StateStore {
  let saved: SavedState | null = null
  return {
    load: () => Promise.resolve(saved === null ? { kind: 'none' } : { kind: 'state', state: saved, fellBack: false }),
    save: (state) => {
      saved = state
      return Promise.resolve()
    },
  }
}

function inventoryOf(device: string): Inventory {
  const amounts = { cpu: 4_000, memory: 4096 * MI, pids: 30_000, pods: 110, 'ephemeral-storage': 65_536 * MI }
  return {
    device,
    at: new Date().toISOString(),
    agentVersion: 'pretend',
    os: { name: 'Debian GNU/Linux 12', kernel: '6.1.0', arch: 'arm64' },
    topology: { threads: 4, onlineCpus: '0-3', numaNodes: [{ id: 0, cpus: '0-3' }] },
    memory: { totalBytes: amounts.memory },
    pids: { capacity: amounts.pids },
    allocatable: amounts,
    capacity: amounts,
  }
}
