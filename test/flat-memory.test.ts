/** Years of reconciling in one process leave nothing behind. More rounds: `tsx scripts/rounds.ts --rounds 100000`. */
import { expect, it } from 'vitest'
import { longLife } from './fakes/long-life.ts'

it('the heap does not grow with the number of reconcile rounds', async () => {
  const agent = await longLife()
  await agent.rounds(500)
  const before = agent.heap()
  const observedBefore = agent.observations()
  await agent.rounds(1_500)
  const perRound = (agent.heap() - before) / 1_500
  expect(agent.observations() - observedBefore).toBeGreaterThanOrEqual(1_500)
  expect(agent.running()).toBeGreaterThan(4)
  // a leaked observation of ten containers would be several KB
  expect(perRound, 'bytes a round').toBeLessThan(1_000)
})
