/**
 * A day of an idle device with ten pods in a few minutes: the agent runs on a clock that goes `FASTER` times as fast (libfaketime), so that
 * everything that it repeats it does as often as in that time; the cloud by itself says nothing to a device that is quiet. Real
 * TLS 1.3 between them; the packet filter counts whole IP packets, and the kernel counts what the agent writes. Kernels keep their own time:
 * retransmissions and keepalive probes of TCP, if any, are too few.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { LinkClass } from '../../protocol/link.ts'
import { cableOf } from '../../test/integration/private-dockerd-sweep.ts'
import { runQuietly } from '../quickstart/run-quietly.ts'
import type { Gateway } from '../testbed/gateway.ts'
import { eventually } from '../testbed/testbed.ts'
import type { Testbed } from '../testbed/testbed.ts'

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
/** a call to the engine may take 30 s: half a second of ours */
const FASTER = 60
/** of their time: connecting, first reports, and whatever else happens once */
const SETTLE_MS = 3_600_000
const WINDOW_MS = 4 * 3_600_000
const DAY_MS = 86_400_000

export function whyNoQuickDay(): string | null {
  return existsSync(LIBRARY) ? null : `${LIBRARY} is not there (Debian: faketime)`
}

export async function idleDay(bed: Testbed, gateway: Gateway, linkClass: LinkClass): Promise<void> {
  const file = path.join(bed.dir, gateway.name, 'join.json')
  const join = readFileSync(file, 'utf8')
  await gateway.agent.stop()
  const begin = Date.now()
  const meter = await meterOf(gateway)
  try {
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(join) as object), link: { class: linkClass } }))
    gateway.agent.start(clockSince(begin))
    await pause(SETTLE_MS / FASTER)
    const [before, started] = [await readings(gateway, meter), performance.now()]
    await pause(WINDOW_MS / FASTER)
    const [after, ended] = [await readings(gateway, meter), performance.now()]
    print(linkClass, before, after, (ended - started) * FASTER)
  } finally {
    await gateway.agent.stop()
    await meter.end()
    writeFileSync(file, join)
    gateway.agent.start()
    await eventually('it is in contact again', async () =>
      (await bed.cloud.kubectl('get', 'node', gateway.name, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True'
        ? null
        : 'not yet',
    )
  }
}

/** Programs that start one after another tell the same time. */
function clockSince(beginMs: number): Readonly<Record<string, string>> {
  const aheadS = ((Date.now() - beginMs) * (FASTER - 1)) / 1000
  return { LD_PRELOAD: LIBRARY, FAKETIME: `+${aheadS.toFixed(3)} x${FASTER}`, FAKETIME_NO_CACHE: '1' }
}

interface Counted {
  readonly bytes: number
  readonly packets: number
}

interface Meter {
  read(): Promise<Counted>
  end(): Promise<void>
}

/** Rules without a target only count. Neighbour discovery is none of the agent's doing and no IP of the device. */
async function meterOf({ engine }: Gateway): Promise<Meter> {
  const cable = cableOf(engine.netns)
  const rules = [
    ['INPUT', '-i', cable, '-p', 'tcp', '-m', 'comment', '--comment', cable],
    ['OUTPUT', '-o', cable, '-p', 'tcp', '-m', 'comment', '--comment', cable],
  ]
  for (const rule of rules) await runQuietly('iptables', ['-w', '-I', ...rule])
  return {
    read: async () => {
      let [bytes, packets] = [0, 0]
      for (const chain of ['INPUT', 'OUTPUT']) {
        const lines = (await runQuietly('iptables', ['-w', '-nvxL', chain])).split('\n').filter((line) => line.includes(`/* ${cable} */`))
        for (const line of lines) {
          const [more = '0', size = '0'] = line.trim().split(/\s+/)
          packets += Number(more)
          bytes += Number(size)
        }
      }
      return { bytes, packets }
    },
    end: async () => {
      for (const rule of rules) await runQuietly('iptables', ['-w', '-D', ...rule])
    },
  }
}

interface Readings {
  readonly wire: Counted
  readonly disk: Readonly<Record<string, number>>
  /** bytes by topic and direction, as the agent counts them: it reckons the headers */
  readonly topics: Readonly<Record<string, number>>
  readonly connections: number
}

async function readings(gateway: Gateway, meter: Meter): Promise<Readings> {
  const ask = `--net=/var/run/netns/${gateway.engine.netns}`
  const metrics = await runQuietly('nsenter', [ask, 'curl', '-sS', '-f', '-m', '5', 'http://127.0.0.1:8090/metrics'])
  const topics: Record<string, number> = {}
  for (const [, labels = '', value = '0'] of metrics.matchAll(/^skerry_agent_link_bytes_total\{(.*)\} (\d+)$/gm)) {
    const label = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    topics[`${label('type')} ${label('direction')}`] = Number(value)
  }
  const io = readFileSync(`/proc/${gateway.agent.pid ?? 0}/io`, 'utf8')
  const disk = Object.fromEntries([...io.matchAll(/^(\w+): (\d+)$/gm)].map(([, name = '', value = '0']) => [name, Number(value)]))
  return { wire: await meter.read(), disk, topics, connections: gateway.agent.tail(10_000).split('connected to the cloud').length - 1 }
}

function print(linkClass: LinkClass, before: Readings, after: Readings, elapsedMs: number): void {
  const days = DAY_MS / elapsedMs
  const kilobytes = (bytes: number): string => ((bytes * days) / 1000).toFixed(1)
  const wire = after.wire.bytes - before.wire.bytes
  const packets = after.wire.packets - before.wire.packets
  process.stdout.write(
    `\nidle: ${(elapsedMs / 3_600_000).toFixed(1)} h with 10 pods over TLS 1.3 on a link of class ${linkClass}: ${wire} bytes of IP in ${packets} packets, ` +
      `${after.connections - before.connections} new connections: ${kilobytes(wire)} kB a day${linkClass === 'metered' ? ' (aim 25)' : ''}\n`,
  )
  const topics = Object.entries(after.topics).map(([name, bytes]) => [name, bytes - (before.topics[name] ?? 0)] as const)
  const counted = topics.reduce((sum, [, bytes]) => sum + bytes, 0)
  process.stdout.write(
    `idle: the agent counted ${kilobytes(counted)} kB a day of it: ${topics
      .filter(([, bytes]) => bytes > 0)
      .map(([name, bytes]) => `${name} ${kilobytes(bytes)}`)
      .join(', ')}\n`,
  )
  const written = (after.disk['write_bytes'] ?? 0) - (before.disk['write_bytes'] ?? 0)
  process.stdout.write(`idle: the agent wrote ${kilobytes(written)} kB a day to the disk (whole pages, as the kernel counts them)\n`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
