/** One run of the simulation: minutes of faults, then peace, and the world must settle and stay settled. */
import { doSomething, healAll } from './faults.ts'
import { World } from './world.ts'
import type { WorldOptions } from './world.ts'

export interface RunResult {
  readonly seed: number
  readonly ok: boolean
  /** what was broken, or '' */
  readonly broken: string
  readonly trace: readonly string[]
  readonly virtualMs: number
  readonly steps: number
}

export interface RunOptions extends Partial<Omit<WorldOptions, 'seed'>> {
  /** faults and deeds before peace; default 12 to 40 by seed */
  readonly deeds?: number
}

const SETTLE_MS = 20 * 60_000
const STAY_MS = 2 * 60_000

export async function runOnce(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const devices = options.devices ?? 1 + (seed % 3)
  const once = options.once ?? (options.sabotage === undefined && [1, 2, 3].includes(seed % 7))
  const world = new World({ ...options, seed, devices, once })
  const result = (broken: string): RunResult => ({
    seed,
    ok: broken === '',
    broken,
    trace: world.trace,
    virtualMs: world.time.nowMs,
    steps: world.steps,
  })
  try {
    await world.start()
    const deeds = options.deeds ?? world.random.int(12, 40)
    for (let i = 0; i < deeds; i += 1) {
      await doSomething(world)
      await world.run(world.random.chance(0.3) ? world.random.int(0, 400) : world.random.int(400, 30_000))
    }
    healAll(world)
    const stuck = await settle(world)
    if (stuck !== null) return result(`I6: not settled ${SETTLE_MS / 60_000} minutes after everything was healed: ${stuck}`)
    const before = world.actions
    await world.run(STAY_MS)
    if (world.actions !== before && !(await world.isRestless())) return result(`I6: ${world.actions - before} engine actions in a settled world`)
    return result('')
  } catch (error) {
    return result(
      error instanceof Error ? `${error.message}${error.constructor.name === 'InvariantBroken' ? '' : `\n${error.stack ?? ''}`}` : String(error),
    )
  }
}

async function settle(world: World): Promise<string | null> {
  const end = world.time.nowMs + SETTLE_MS
  let last: string | null = 'not looked'
  while (world.time.nowMs < end) {
    await world.run(5_000)
    last = await world.unsettled()
    if (last === null) return null
  }
  return last
}
