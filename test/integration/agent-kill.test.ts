/** kill -9 of the agent at 100 random moments of an apply, replace, delete loop: always converges, no duplicate, no orphan, nothing lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { deployment, writeManifest } from './manifests.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`agent-kill: not run: ${why}`)

const KILLS = 100
const REPLICAS = 3

/** Small seeded generator: a failing run can be repeated. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe.skipIf(why !== null)('kill -9 of the agent', () => {
  let bed: Testbed
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 1, images: ['busybox:1', 'busybox:2'], first: 21 })
  })
  afterAll(async () => bed?.destroy())

  it(`converges after ${KILLS} kills at random moments`, async () => {
    const [gateway] = bed.gateways
    if (gateway === undefined) throw new Error('no gateway')
    const next = random(20_261_121)
    const counts = { kills: 0, rounds: 0, duplicates: 0, orphans: 0, lost: 0 }
    const settled = async (image: string | null): Promise<string | null> => {
      const containers = await gateway.containers()
      const wrong = image === null ? containers.length > 0 : containers.length !== REPLICAS || containers.some((c) => !c.running || c.image !== image)
      return wrong ? JSON.stringify(containers.map((c) => [c.name, c.image, c.running])) : null
    }
    const actions: readonly { readonly do: () => Promise<unknown>; readonly image: string | null }[] = [
      { do: () => bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, deployment('loop', 'busybox:1', REPLICAS))), image: 'busybox:1' },
      { do: () => bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, deployment('loop', 'busybox:2', REPLICAS))), image: 'busybox:2' },
      { do: () => bed.cloud.kubectl('delete', 'deployment', 'loop', '--wait=false'), image: null },
    ]
    while (counts.kills < KILLS) {
      for (const action of actions) {
        await action.do()
        // five kills while this change is under way, each at another moment of the agent's work
        for (let i = 0; i < 5 && counts.kills < KILLS; i += 1) {
          await new Promise((resolve) => setTimeout(resolve, next() * 700))
          await gateway.agent.stop('SIGKILL')
          counts.kills += 1
          gateway.agent.start()
        }
        await eventually(`round ${counts.rounds} settles on ${action.image ?? 'nothing'}`, () => settled(action.image), 90_000).catch(
          (error: unknown) => {
            throw new Error(`${error instanceof Error ? error.message : String(error)}\n${gateway.agent.tail(30)}`)
          },
        )
        const containers = await gateway.containers()
        counts.duplicates += containers.length - new Set(containers.map((c) => c.name)).size
        counts.orphans += Math.max(0, containers.length - (action.image === null ? 0 : REPLICAS))
        counts.lost += action.image === null ? 0 : Math.max(0, REPLICAS - containers.length)
        counts.rounds += 1
      }
    }
    console.warn(`agent-kill: ${JSON.stringify(counts)}`)
    expect(counts).toEqual({ kills: KILLS, rounds: counts.rounds, duplicates: 0, orphans: 0, lost: 0 })
  }, 600_000)
})
