/**
 * Looks at the host every ten seconds while containers run. INVARIANTS: one look at a time; the reducer hears only of what is
 * short, or was, or is waited for; files are walked at most once a minute, and only for a limit or a full disk; images that
 * nothing needs go before any pod does.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { isShort } from '../core/eviction.ts'
import { scratchVolumes } from '../core/scratch-volumes.ts'
import type { VolumeUse } from '../core/scratch-volumes.ts'
import type { PressureSample } from '../core/pressure-model.ts'
import { waitsForRoom } from '../core/room.ts'
import type { Clock, Random } from '../ports.ts'
import type { Loop } from './loop.ts'
import { repeat } from './timers.ts'

export interface DiskUse {
  volumes(onlyLimited: boolean): Promise<VolumeUse>
  /** bytes by container id: writable layer and log; and by pod uid: emptyDir */
  all(): Promise<{ readonly containers: Readonly<Record<string, number>>; readonly pods: Readonly<Record<string, number>> }>
  /** removes images that nothing needs */
  reclaim(): Promise<void>
}

export interface PressureParts {
  readonly clock: Clock
  readonly random: Random
  readonly loop: Pick<Loop, 'state' | 'dispatch'>
  readonly disk: DiskUse
  sample(containers: readonly string[], disk: string): Promise<PressureSample>
}

/** The result ends it. */
export function watchPressure(parts: PressureParts): () => void {
  const watch = new PressureWatch(parts)
  return repeat(parts.clock, parts.random, LIMITS.evictionSampleMs.value, () => watch.look())
}

class PressureWatch {
  readonly #parts: PressureParts
  #looking = false
  #measuredAtMonoMs = Number.NEGATIVE_INFINITY
  #reclaimedAtMonoMs = Number.NEGATIVE_INFINITY

  constructor(parts: PressureParts) {
    this.#parts = parts
  }

  look(): void {
    const { observed } = this.#parts.loop.state()
    const runs = (observed ?? []).some(({ state }) => state === 'running')
    if (this.#looking || (!runs && !this.#held() && !waitsForRoom(this.#parts.loop.state()))) return
    this.#looking = true
    this.#look()
      .catch(() => {
        // a host that cannot be read gives no reason to end anything
      })
      .finally(() => {
        this.#looking = false
      })
  }

  #held(): boolean {
    return Object.keys(this.#parts.loop.state().pressure.short).length > 0
  }

  async #look(): Promise<void> {
    const { loop, disk } = this.#parts
    let seen = await this.#sample()
    if (isShort({ levels: seen.levels.disk === undefined ? {} : { disk: seen.levels.disk } })) {
      if (this.#due(this.#reclaimedAtMonoMs, LIMITS.evictionReclaimMs.value)) {
        this.#reclaimedAtMonoMs = this.#now()
        await disk.reclaim()
        seen = await this.#sample()
      }
      seen = await this.#withDisk(seen)
    } else if (this.#due(this.#measuredAtMonoMs, LIMITS.diskUseMs.value) && this.#hasLimits()) {
      this.#measuredAtMonoMs = this.#now()
      loop.dispatch({ kind: 'disk-use', volumes: await disk.volumes(true) })
    }
    if (this.#held() || isShort(seen) || waitsForRoom(loop.state())) loop.dispatch({ kind: 'pressure', sample: seen })
  }

  #sample(): Promise<PressureSample> {
    const { observed, engine } = this.#parts.loop.state()
    const running = (observed ?? []).filter(({ state }) => state === 'running').map(({ id }) => id)
    return this.#parts.sample(running, engine.info?.dataRoot ?? '/')
  }

  /** Without fresh numbers nobody is known to hold anything, and nobody is given up for the disk: the next look has them. */
  async #withDisk(seen: PressureSample): Promise<PressureSample> {
    if (!this.#due(this.#measuredAtMonoMs, LIMITS.diskUseMs.value)) return seen
    this.#measuredAtMonoMs = this.#now()
    const { containers, pods } = await this.#parts.disk.all()
    const ids = new Set([...Object.keys(seen.usage), ...Object.keys(containers)])
    const usage = Object.fromEntries([...ids].map((id) => [id, { ...seen.usage[id], disk: containers[id] ?? 0 }]))
    return { ...seen, usage, podDisk: pods }
  }

  #hasLimits(): boolean {
    return (this.#parts.loop.state().desired?.pods ?? []).some((pod) => scratchVolumes(pod, true).length > 0)
  }

  #now(): number {
    return this.#parts.clock.now().monoMs
  }

  #due(last: number, everyMs: number): boolean {
    return this.#now() - last >= everyMs
  }
}
