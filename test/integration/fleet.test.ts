/**
 * The story of a fleet with pretend devices (the real agent, a fake engine) over real MQTT against the built cloud. It holds the numbers
 * of API, metrics and console against the truth of the devices after each step, and fails by itself where they differ.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildAsked } from '../../scripts/fleet/asked-process.ts'
import { createFleet } from '../../scripts/fleet/fleet.ts'
import type { Fleet } from '../../scripts/fleet/fleet.ts'
import { NEW, OLD, runStory } from '../../scripts/fleet/story.ts'
import { buildOnce } from './build-once.ts'

const DEVICES = 200

describe('a fleet', () => {
  let fleet: Fleet
  beforeAll(async () => {
    await buildOnce()
    await buildAsked('fleet-worker')
    fleet = await createFleet({
      devices: DEVICES,
      badShare: 0.02,
      badImages: ':2$',
      seed: 7,
      workers: 1,
      slowMs: 20,
      pullMs: 100,
      profileDir: null,
      broker: 'embedded',
    })
  })
  afterAll(async () => fleet?.destroy())

  it('goes through a rollout in five waves, with a broken batch, devices that are away, and a kill of the cloud', async () => {
    const end = await runStory(fleet, { offlineShare: 0.1, seed: 7 })
    expect(end.counts).toMatchObject({ members: DEVICES, done: DEVICES - fleet.bad.size, skipped: fleet.bad.size })
    expect(end.waves.map(({ name, state }) => `${name} ${state}`).slice(0, 4)).toEqual(['canary Passed', 'few Passed', 'some Passed', 'many Passed'])
    for (const { name, ready } of await fleet.looks()) expect([name, ready]).toEqual([name, [fleet.bad.has(name) ? OLD : NEW]])
  })
})
