/** What must hold whatever fails (numbers as in the reliability notes). Each check answers a sentence, or null. */
import { compareVersions } from '../../protocol/accept.ts'
import type { Held } from '../../protocol/accept.ts'
import type { Version } from '../../protocol/desired-state.ts'
import { parseIdList } from '../../protocol/id-list.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import { fenceOf } from '../../edge-agent/core/contact.ts'
import { wantedState } from '../../edge-agent/core/wanted-state.ts'
import { runOf } from '../../edge-agent/core/probes.ts'
import { fieldView } from '../../edge-agent/local-page/view.ts'
import type { EngineAction } from './sim-engine.ts'
import type { SimBroker } from './sim-broker.ts'
import type { SimDevice } from './sim-device.ts'

/** an observation may be this old when the report leaves: the idle look, a hung call, the way through the outbox */
const STALE_MS = LIMITS.observeIdleMs.value + LIMITS.engineCallMs.value + 15_000

export class InvariantBroken extends Error {}

export class Invariants {
  /** highest pair that was ever the desired state of the device: it was durable then */
  readonly #highest = new Map<string, Version>()
  /** documents that the cloud really signed for the device */
  readonly #signed = new Map<string, Set<string>>()

  /** device and container id -> when it was last seen running, in virtual ms */
  readonly #ran = new Map<string, number>()

  signed(device: string, document: Held): void {
    const set = this.#signed.get(device) ?? new Set()
    set.add(nameOf(document))
    this.#signed.set(device, set)
  }

  /** Before the engine is asked: is this step allowed at all? */
  beforeAction(device: SimDevice, action: EngineAction): void {
    if (action.call !== 'stop' && action.call !== 'remove') return
    const found = device.engine.all().find((one) => one.id === action.target || one.name === action.target)
    if (found === undefined) return
    if (found.podUid === '') this.#fail('I2', device, `${action.call} of ${found.name}, which is not ours`)
    const state = device.state()
    if (state === null) return
    if (state.knowledge !== 'known' || state.desired === null)
      this.#fail('I2', device, `${action.call} of ${found.name} while the desired state is ${state.knowledge}`)
    const wanted = wantedState(state)?.pods.some((pod) => pod.uid === found.podUid && pod.specHash === found.specHash) ?? false
    const twins = device.engine.all().filter((one) => one.podUid === found.podUid && one.specHash === found.specHash && one.state === 'running')
    const sick = Object.values(state.probes).some(({ run, unhealthy }) => unhealthy !== null && run === runOf(found))
    const evicted = state.pressure.evicted[found.podUid] !== undefined
    const fenced = fenceOf(state, device.machine.now()).stopped[found.podUid] !== undefined
    if (wanted && !sick && !evicted && !fenced && found.state === 'running' && twins.length <= 1)
      this.#fail('I1', device, `${action.call} of ${found.name}, which runs and is wanted`)
  }

  /** I8, when a report leaves a device: what it calls running did run a moment ago, or it says that the engine does not answer. */
  truthful(device: string, report: StatusReport, nowMs: number): void {
    if (!report.engine.reachable) return
    for (const pod of report.pods) {
      for (const container of pod.containers) {
        const ran = this.#ran.get(`${device}/${container.containerId ?? ''}`)
        if (container.state !== 'running' || (ran !== undefined && nowMs - ran <= STALE_MS)) continue
        throw new InvariantBroken(`I8: ${device} reports ${pod.namespace}/${pod.name} as running, which it is not`)
      }
    }
  }

  /** After every event of the world. */
  always(devices: readonly SimDevice[], broker: SimBroker, nowMs: number): void {
    for (const device of devices) {
      for (const one of device.engine.all()) if (one.state === 'running') this.#ran.set(`${device.name}/${one.id}`, nowMs)
      this.#atMostOne(device)
      this.#ownCpusAreOwn(device)
      this.#monotone(device)
      this.#bounded(device)
    }
    const [trespass] = broker.trespasses
    if (trespass !== undefined) throw new InvariantBroken(`I10: ${trespass}`)
  }

  /** I11: the page can always be drawn. Costly, so not after every event. */
  pageAnswers(device: SimDevice): void {
    const state = device.state()
    if (state === null) return
    try {
      fieldView(state, device.machine.now())
    } catch (error) {
      this.#fail('I11', device, `the page cannot be drawn: ${String(error)}`)
    }
  }

  #atMostOne(device: SimDevice): void {
    const seen = new Set<string>()
    for (const one of device.engine.all()) {
      if (one.state !== 'running' || one.podUid === '') continue
      const key = `${one.podUid}/${one.containerName}`
      if (seen.has(key)) this.#fail('I4', device, `two containers run for ${one.namespace}/${one.podName}/${one.containerName}`)
      seen.add(key)
    }
  }

  #ownCpusAreOwn(device: SimDevice): void {
    const running = device.engine.all().filter((one) => one.state === 'running')
    for (const owner of running) {
      if (owner.ownCpus === undefined) continue
      const own = new Set(parseIdList(owner.ownCpus))
      const other = running.find(
        ({ podUid, cpus = '' }) => podUid !== '' && podUid !== owner.podUid && (cpus === '' || parseIdList(cpus)?.some((cpu) => own.has(cpu))),
      )
      if (other !== undefined) this.#fail('I13', device, `${other.podName} runs on CPUs that ${owner.podName} has for itself (${owner.ownCpus})`)
    }
  }

  #monotone(device: SimDevice): void {
    const state = device.state()
    if (state === null || state.knowledge === 'loading') return
    const highest = this.#highest.get(device.name)
    if (state.desired !== null) {
      const { desired } = state
      if (highest !== undefined && compareVersions(desired, highest) < 0) {
        // after a damaged file the previous generation is used; the floor still refuses to go back
        const floored = state.floor !== null && compareVersions(state.floor, highest) >= 0
        if (!floored)
          this.#fail('I3/I5', device, `holds ${desired.epoch}/${desired.generation} after ${highest.epoch}/${highest.generation} was durable`)
      } else this.#highest.set(device.name, { epoch: desired.epoch, generation: desired.generation })
      if (this.#signed.get(device.name)?.has(nameOf(desired)) !== true)
        this.#fail('I9', device, `applies a document that the cloud did not sign for it (${desired.digest.slice(0, 8)})`)
    } else if (state.knowledge === 'none' && highest !== undefined) this.#fail('I5', device, 'forgot its desired state')
  }

  #bounded(device: SimDevice): void {
    const state = device.state()
    if (state === null) return
    if (state.refusals.length > LIMITS.refusalsKept.value) this.#fail('I7', device, `${state.refusals.length} refusals are kept`)
    if (Object.keys(state.ledger).length > LIMITS.ledgerEntries.value) this.#fail('I7', device, 'the ledger has outgrown its limit')
  }

  #fail(invariant: string, device: SimDevice, what: string): never {
    throw new InvariantBroken(`${invariant}: ${device.name}: ${what}`)
  }
}

function nameOf({ epoch, generation, digest }: Held): string {
  return `${epoch}.${generation}.${digest}`
}
