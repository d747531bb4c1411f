/** What a device costs while nothing happens: memory with 10 and 50 pods, a day on the wire and on the disk, a look at 50 pods. */
import { spawn } from 'node:child_process'
import type { LinkClass } from '../../protocol/link.ts'
import { deployment, writeManifest } from '../../test/integration/manifests.ts'
import type { Gateway } from '../testbed/gateway.ts'
import { pinnedNode } from '../testbed/pinned-node.ts'
import { createTestbed, eventually } from '../testbed/testbed.ts'
import type { Testbed } from '../testbed/testbed.ts'
import { idleDay, whyNoQuickDay } from './idle-day.ts'
import { idleLook } from './idle-look.ts'
import { heldBy } from './memory.ts'

const SETTLE_MS = 45_000
const PODS: readonly number[] = [10, 50]

/** @param only one of `memory`, `day`, `day-unmetered` and `look`; all when absent */
export async function benchIdle(only?: string): Promise<void> {
  const wants = (part: string): boolean => only === undefined || only === part
  const bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: 44, tls: true })
  try {
    const [gateway] = bed.gateways
    if (gateway === undefined) throw new Error('no gateway')
    await runs(bed, gateway, 10)
    if (wants('day')) await day(bed, gateway, 'metered')
    if (wants('day-unmetered')) await day(bed, gateway, 'unmetered')
    if (wants('memory')) await memory(bed, gateway)
    if (wants('look')) await idleLook(gateway)
  } finally {
    await bed.destroy()
  }
}

/** The agent lives faster for it, and goes on as usual after it. */
async function day(bed: Testbed, gateway: Gateway, linkClass: LinkClass): Promise<void> {
  const why = whyNoQuickDay()
  if (why === null) await idleDay(bed, gateway, linkClass)
  else process.stdout.write(`idle: a day was not measured: ${why}\n`)
}

/** A young agent each time: what it made while it started pods is not what it holds at rest for years. */
async function memory(bed: Testbed, gateway: Gateway): Promise<void> {
  const bare = spawn(pinnedNode(), ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' })
  try {
    for (const pods of PODS) {
      await runs(bed, gateway, pods)
      await pause(SETTLE_MS)
      report(`${pods} pods, which it started itself`, gateway, bare.pid ?? null)
      await gateway.agent.stop()
      gateway.agent.start()
      await pause(SETTLE_MS)
      report(`${pods} pods, which ran when it began`, gateway, bare.pid ?? null)
    }
  } finally {
    bare.kill('SIGKILL')
  }
}

function report(what: string, gateway: Gateway, bare: number | null): void {
  const [agent, floor] = [heldBy(gateway.agent.pid), heldBy(bare)]
  const more = (agent.rssMib - floor.rssMib).toFixed(1)
  process.stdout.write(`idle: agent with ${what}, ${SETTLE_MS / 1000} s later: RSS ${agent.rssMib} MiB (anonymous ${agent.anonymousMib}), `)
  process.stdout.write(`bare Node ${floor.rssMib} MiB (anonymous ${floor.anonymousMib}): ${more} MiB more (aim 10)\n`)
}

async function runs(bed: Testbed, gateway: Gateway, pods: number): Promise<void> {
  await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, deployment('idle', 'busybox:1', pods)))
  await eventually(`${pods} run`, async () => {
    const count = (await gateway.containers()).filter((one) => one.running).length
    return count === pods ? null : `${count} run`
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
