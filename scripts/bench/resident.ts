/** Agent memory with 10 pods beside a bare Node process, and the size of the bundle. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { deployment, writeManifest } from '../../test/integration/manifests.ts'
import { AGENT_BUNDLE, BUNDLE_BYTES_MAX } from '../build-agent.ts'
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
    const agent = memory(gateway?.agent.pid ?? null)
    const floor = memory(bare.pid ?? null)
    const difference = (agent.rss - floor.rss).toFixed(1)
    process.stdout.write(`\nresident: agent with 10 pods after ${SETTLE_MS / 1000} s idle: RSS ${agent.rss} MiB (anonymous ${agent.anonymous})`)
    process.stdout.write(`, bare Node ${floor.rss} MiB (anonymous ${floor.anonymous}), difference ${difference} MiB (aim 10)\n`)
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

function memory(pid: number | null): { readonly rss: number; readonly anonymous: number } {
  const status = pid === null ? '' : readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (field: string): number => Math.round((Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024) * 10) / 10
  return { rss: mib('VmRSS'), anonymous: mib('RssAnon') }
}
