/**
 * What is left on the host, cheap enough for every ten seconds: three small files and one statfs. What containers hold is read
 * only when something is short. Values that cannot be read are left out.
 */
import { statfs } from 'node:fs/promises'
import { isShort } from '../core/eviction.ts'
import type { ContainerUsage, Level, PressureSample, Signal } from '../core/pressure-model.ts'
import type { HostReader } from '../ports.ts'

export interface PressureSampler {
  /** @param containers ids of running containers; @param disk a folder on the file system that images and containers fill */
  sample(containers: readonly string[], disk: string): Promise<PressureSample>
}

export function createPressureSampler(reader: HostReader): PressureSampler {
  return {
    sample: async (containers, disk) => {
      const [memory, pids, storage] = await Promise.all([memoryLevel(reader), pidsLevel(reader), diskLevel(disk)])
      const levels: Partial<Record<Signal, Level>> = {
        ...(memory === null ? {} : { memory }),
        ...(pids === null ? {} : { pids }),
        ...(storage === null ? {} : { disk: storage }),
      }
      if (!isShort({ levels })) return { levels, usage: {} }
      const usage = await Promise.all(containers.map(async (id) => [id, await usageOf(reader, id)] as const))
      return { levels, usage: Object.fromEntries(usage) }
    },
  }
}

async function memoryLevel(reader: HostReader): Promise<Level | null> {
  const text = await reader.read('/proc/meminfo')
  const bytes = (name: string): number | null => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1]
    return found === undefined ? null : Number(found) * 1024
  }
  const available = bytes('MemAvailable')
  const total = bytes('MemTotal')
  return available === null || total === null ? null : { available, total }
}

/** Threads count: the kernel gives each a PID. */
async function pidsLevel(reader: HostReader): Promise<Level | null> {
  const used = number(/\d+\/(\d+)/.exec((await reader.read('/proc/loadavg')) ?? '')?.[1])
  const limits = await Promise.all(
    ['pid_max', 'threads-max'].map(async (name) => number((await reader.read(`/proc/sys/kernel/${name}`)) ?? undefined)),
  )
  const total = Math.min(...limits.flatMap((limit) => limit ?? []))
  return used === null || !Number.isFinite(total) ? null : { available: Math.max(0, total - used), total }
}

async function diskLevel(folder: string): Promise<Level | null> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder)
    return blocks === 0 ? null : { available: bavail * bsize, total: blocks * bsize }
  } catch {
    return null
  }
}

/** Where engines put the cgroup of a container: systemd or cgroupfs driver; one tree, or one for each controller. */
const FOLDERS = (controller: string, id: string): readonly string[] => [
  `/sys/fs/cgroup/system.slice/docker-${id}.scope`,
  `/sys/fs/cgroup/docker/${id}`,
  `/sys/fs/cgroup/${controller}/system.slice/docker-${id}.scope`,
  `/sys/fs/cgroup/${controller}/docker/${id}`,
]

async function usageOf(reader: HostReader, id: string): Promise<ContainerUsage> {
  const memory = await firstOf(FOLDERS('memory', id), async (folder) => {
    const held = number((await reader.read(`${folder}/memory.current`)) ?? (await reader.read(`${folder}/memory.usage_in_bytes`)) ?? undefined)
    // the working set, as the kubelet counts: file pages that nobody used lately cost nothing to give back
    const inactive = number(/^(?:total_)?inactive_file (\d+)/m.exec((await reader.read(`${folder}/memory.stat`)) ?? '')?.[1])
    return held === null ? null : Math.max(0, held - (inactive ?? 0))
  })
  const pids = await firstOf(FOLDERS('pids', id), async (folder) => number((await reader.read(`${folder}/pids.current`)) ?? undefined))
  return { ...(memory === null ? {} : { memory }), ...(pids === null ? {} : { pids }) }
}

async function firstOf(folders: readonly string[], read: (folder: string) => Promise<number | null>): Promise<number | null> {
  for (const folder of folders) {
    const value = await read(folder)
    if (value !== null) return value
  }
  return null
}

function number(text: string | undefined): number | null {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null
}
