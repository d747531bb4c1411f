/** Fixed seeds of the whole-world simulation, and the proof that it would notice. More seeds: `npm run simulate`. */
import { describe, expect, it } from 'vitest'
import { runOnce } from './simulate.ts'
import type { RunResult } from './simulate.ts'
import type { Sabotage } from './world.ts'

const SEEDS = 8

describe('the whole world under faults', () => {
  it(`keeps every invariant for seeds 1 to ${SEEDS}`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await runOnce(seed)
      expect(result.broken, `seed ${seed}\n${result.trace.slice(-60).join('\n')}`).toBe('')
    }
  })

  it('gives the same run for the same seed', async () => {
    const [first, second] = [await runOnce(7), await runOnce(7)]
    expect(second.trace).toEqual(first.trace)
    expect(second.steps).toBe(first.steps)
  })

  it.each<[Sabotage, RegExp]>([
    ['trust-anybody', /^I[19]: /],
    ['lying-disk', /^I3\/I5|^I5: /],
    ['deaf', /^I6: not settled/],
  ])('catches a world with %s, and names the seed', async (sabotage, invariant) => {
    const results: RunResult[] = []
    for (let seed = 1; seed <= 40 && results.every((one) => one.ok); seed += 1) results.push(await runOnce(seed, { sabotage }))
    const caught = results.at(-1)
    expect(caught?.broken).toMatch(invariant)
    const again = await runOnce(caught?.seed ?? 0, { sabotage })
    expect(again.broken, 'the seed repeats the failure').toBe(caught?.broken)
  })
})
