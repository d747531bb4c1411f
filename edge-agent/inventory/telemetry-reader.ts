/** Reads what pods and the device use now: small files of procfs, sysfs and cgroups, and one statfs. Starts no process. */
import type { Reading } from '../core/telemetry.ts'
import type { HostReader } from '../ports.ts'
import { createUsageReader, number } from './container-usage.ts'
import { diskLevel, memoryLevel, pidsLevel } from './pressure-sampler.ts'

/** @param containers ids of running containers; @param disk a folder on the file system that images and containers fill */
export type TelemetryReader = (
  containers: readonly string[],
  disk: string,
  now: { readonly monoMs: number; readonly wallMs: number },
) => Promise<Reading>

export function createTelemetryReader(reader: HostReader): TelemetryReader {
  const usage = createUsageReader(reader)
  return async (containers, disk, { monoMs, wallMs }) => {
    const [cpu, memory, pids, storage, temperatureC, numa] = await Promise.all([
      readCpu(reader),
      memoryLevel(reader),
      pidsLevel(reader),
      diskLevel(disk),
      hottest(reader),
      readNuma(reader),
    ])
    const held = await Promise.all(
      containers.map(async (id) => {
        const [rest, cpuUs] = await Promise.all([usage.memoryAndPids(id), usage.cpuUs(id)])
        return [id, { ...rest, ...(cpuUs === null ? {} : { cpuUs }) }] as const
      }),
    )
    return {
      monoMs,
      wallMs,
      ...(cpu === null ? {} : { cpu }),
      device: {
        ...(memory === null ? {} : { memory: memory.total - memory.available, memoryTotal: memory.total }),
        ...(storage === null ? {} : { disk: storage.total - storage.available, diskTotal: storage.total }),
        ...(pids === null ? {} : { pids: pids.total - pids.available }),
        ...(temperatureC === null ? {} : { temperatureC }),
      },
      ...(Object.keys(numa).length === 0 ? {} : { numa }),
      containers: Object.fromEntries(held),
    }
  }
}

/** `cpu  user nice system idle iowait irq softirq steal …`, then a line for each CPU. */
async function readCpu(reader: HostReader): Promise<NonNullable<Reading['cpu']> | null> {
  const lines = ((await reader.read('/proc/stat')) ?? '').split('\n').filter((line) => line.startsWith('cpu'))
  const ticks = (lines[0] ?? '')
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map((field) => number(field))
  if (ticks.length < 5 || ticks.includes(null)) return null
  const all = ticks.reduce<number>((sum, value) => sum + (value ?? 0), 0)
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0)
  return { busy: all - idle, all, cpus: Math.max(1, lines.length - 1) }
}

/** `Node 0 MemFree:  4011232 kB` and its like, a file for each node. */
async function readNuma(reader: HostReader): Promise<NonNullable<Reading['numa']>> {
  const nodes = (await reader.list(NUMA)).filter((name) => /^node\d{1,4}$/.test(name)).slice(0, NODES_MAX)
  const texts = await Promise.all(nodes.map((name) => reader.read(`${NUMA}/${name}/meminfo`)))
  const kib = (text: string, what: string): number => number(new RegExp(`${what}:\\s*(\\d{1,12}) kB`).exec(text)?.[1]) ?? 0
  return Object.fromEntries(
    nodes.flatMap((name, index) => {
      const text = texts[index] ?? ''
      const total = kib(text, 'MemTotal')
      return total === 0 ? [] : [[name.slice('node'.length), { total: total * 1024, free: kib(text, 'MemFree') * 1024 }] as const]
    }),
  )
}

const NUMA = '/sys/devices/system/node'
/** as many as nodes are aligned on; a kernel that shows more is one machine of thousands */
const NODES_MAX = 64

/** Zones that are not wired read as nonsense: only what a board can have counts. */
async function hottest(reader: HostReader): Promise<number | null> {
  const zones = (await reader.list('/sys/class/thermal')).filter((name) => name.startsWith('thermal_zone')).slice(0, ZONES_MAX)
  const texts = await Promise.all(zones.map((zone) => reader.read(`/sys/class/thermal/${zone}/temp`)))
  const degrees = texts.flatMap((text) => (text !== null && /^-?\d{1,7}$/.test(text) ? [Math.round(Number(text) / 1000)] : []))
  const sound = degrees.filter((value) => value > -60 && value < 200)
  return sound.length === 0 ? null : Math.max(...sound)
}

const ZONES_MAX = 32
