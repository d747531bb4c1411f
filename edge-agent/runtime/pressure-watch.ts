/** Looks at the host every ten seconds while containers run, one look at a time; the reducer hears only of what is short, or was. */
import { LIMITS } from '../../protocol/limits.ts'
import { isShort } from '../core/eviction.ts'
import type { PressureSample } from '../core/pressure-model.ts'
import type { Clock, Random } from '../ports.ts'
import type { Loop } from './loop.ts'
import { repeat } from './timers.ts'

export interface PressureParts {
  readonly clock: Clock
  readonly random: Random
  readonly loop: Pick<Loop, 'state' | 'dispatch'>
  sample(containers: readonly string[], disk: string): Promise<PressureSample>
}

/** The result ends it. */
export function watchPressure({ clock, random, loop, sample }: PressureParts): () => void {
  let looking = false
  return repeat(clock, random, LIMITS.evictionSampleMs.value, () => {
    const { observed, engine, pressure } = loop.state()
    const running = (observed ?? []).filter(({ state }) => state === 'running').map(({ id }) => id)
    const held = Object.keys(pressure.short).length > 0
    if (looking || (running.length === 0 && !held)) return
    looking = true
    sample(running, engine.info?.dataRoot ?? '/')
      .then((seen) => {
        if (held || isShort(seen)) loop.dispatch({ kind: 'pressure', sample: seen })
      })
      .catch(() => {
        // a host that cannot be read gives no reason to end anything
      })
      .finally(() => {
        looking = false
      })
  })
}
