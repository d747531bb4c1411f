/**
 * Work that must not run twice, in worlds that have any: one replica whose device stops it when it is alone for long (`f`), and a schedule
 * that each device keeps by itself (`g`).
 */
import type { ObservedContainer } from '../../edge-agent/core/model.ts'
import type { SimDevice } from './sim-device.ts'

export const FENCED = 'f'
export const SCHEDULE = 'g'
/** its containers end well after a while */
export const JOB_IMAGE = 'job:1'

/** what ran while the engine did not answer, or while no agent was there, is stopped within this after it */
const RECOVERS_MS = 90_000

export function isOf(name: string, podName: string): boolean {
  return podName.startsWith(`${name}-`)
}

/** By what an engine call names: the container's name, or the id of one that exists. */
export function isRun(device: SimDevice, target: string): boolean {
  const found = device.engine.all().find((one) => one.id === target)
  return found === undefined ? target.includes(`-${SCHEDULE}-`) : isOf(SCHEDULE, found.podName)
}

export class Once {
  /** device and pod of a run -> the one container that ran, and when it began */
  readonly #began = new Map<string, string>()
  /** when each device could last not have stopped what it should */
  readonly #helpless = new Map<string, number>()
  /** device and container of the fenced pod -> since when it runs */
  #since = new Map<string, number>()

  /** After every event: a sentence, or null. */
  broken(devices: readonly SimDevice[], nowMs: number): string | null {
    for (const device of devices) {
      const { engine, name } = device
      const state = device.state()
      // both generations of its state are lost: it knows of no run, and of no policy
      if (state?.knowledge === 'unknown') for (const key of Array.from(this.#began.keys())) if (key.startsWith(`${name}/`)) this.#began.delete(key)
      // given up under pressure while nothing could be written: the agent that comes after knows nothing of it
      if (device.disk.failing !== null) for (const uid of Object.keys(state?.pressure.evicted ?? {})) this.#began.delete(`${name}/${uid}`)
      if (state === null || state.knowledge !== 'known' || engine.down || engine.hungTimeoutMs !== null) this.#helpless.set(name, nowMs)
    }
    return this.#twoAtATime(devices, nowMs) ?? this.#runTwice(devices)
  }

  #twoAtATime(devices: readonly SimDevice[], nowMs: number): string | null {
    const since = new Map<string, number>()
    const excused = new Set<string>()
    for (const device of devices) {
      for (const { id, startedAt } of running(device).filter(({ podName }) => isOf(FENCED, podName))) {
        const key = `${device.name}/${id}/${startedAt ?? ''}`
        const began = this.#since.get(key) ?? nowMs
        const helpless = this.#helpless.get(device.name) ?? -Infinity
        since.set(key, began)
        if (began <= helpless && nowMs - helpless < RECOVERS_MS) excused.add(key)
      }
    }
    this.#since = since
    if (since.size < 2 || excused.size > 0) return null
    return `I14: ${[...since.keys()].join(' and ')} run at a time, of which there is to be one`
  }

  #runTwice(devices: readonly SimDevice[]): string | null {
    for (const device of devices) {
      for (const { id, podUid, podName, startedAt } of running(device)) {
        if (!isOf(SCHEDULE, podName)) continue
        const key = `${device.name}/${podUid}`
        const began = `${id} at ${startedAt ?? ''}`
        const before = this.#began.get(key) ?? began
        if (before !== began) return `I15: ${device.name} began ${podName} twice: ${before}, then ${began}`
        this.#began.set(key, began)
      }
    }
    return null
  }
}

function running({ engine }: SimDevice): readonly ObservedContainer[] {
  return engine.all().filter(({ state }) => state === 'running')
}
