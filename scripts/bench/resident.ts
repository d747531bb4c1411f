/** Agent memory with 10 pods beside a bare Node process, and the size of the bundle. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { deployment, writeManifest } from '../../test/integration/manifests.ts'
import { AGENT_BUNDLE, BUNDLE_BYTES_MAX } from '../build-agent.ts'
import { heldBy } from './memory.ts'
import { showMs, spread } from './statistics.ts'
import { createTestbed, eventually } from '../testbed/testbed.ts'
import { pinnedNode } from '../testbed/pinned-node.ts'

const SETTLE_MS = 45_000

export async function benchResident(): Promise<void> {
  const bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: 51 })
  const bare = spawn(pinnedNode(), ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' })
  try {
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, deployment('ten', 'busybox:1', 10)))
    const [gateway] = bed.gateways
    await eventually('ten pods run', async () => {
      const running = ((await gateway?.containers()) ?? []).filter((c) => c.running).length
      return running === 10 ? null : `${running} run`
    })
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const agent = heldBy(gateway?.agent.pid ?? null)
    const floor = heldBy(bare.pid ?? null)
    const difference = (agent.rssMib - floor.rssMib).toFixed(1)
    process.stdout.write(`\nresident: agent with 10 pods after ${SETTLE_MS / 1000} s idle: RSS ${agent.rssMib} MiB (anonymous ${agent.anonymousMib})`)
    process.stdout.write(`, bare Node ${floor.rssMib} MiB (anonymous ${floor.anonymousMib}), difference ${difference} MiB (aim 10)\n`)
    startTimes()
    const bytes = statSync(AGENT_BUNDLE).size
    process.stdout.write(`bundle: ${bytes} bytes, ${gzipSync(readFileSync(AGENT_BUNDLE)).byteLength} gzip (at most ${BUNDLE_BYTES_MAX})\n`)
  } finally {
    bare.kill('SIGKILL')
    await bed.destroy()
  }
}

/** Spawn to end of `version` beside a bare Node that ends at once, interleaved. */
function startTimes(): void {
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < 12; round += 1) {
    for (const [into, args] of [
      [ours, [AGENT_BUNDLE, 'version']],
      [bare, ['-e', '0']],
    ] as const) {
      const begin = performance.now()
      execFileSync(pinnedNode(), args, { stdio: 'ignore' })
      if (round > 0) into.push(performance.now() - begin)
    }
  }
  process.stdout.write(`start: agent version ${showMs(spread(ours))}, bare Node ${showMs(spread(bare))}\n`)
}
