/**
 * What is left on the host, cheap enough for every ten seconds: three small files and one statfs. What containers hold is read
 * only when something is short. Values that cannot be read are left out.
 */
import { statfs } from 'node:fs/promises'
import { isShort } from '../core/eviction.ts'
import type { Level, PressureSample, Signal } from '../core/pressure-model.ts'
import type { HostReader } from '../ports.ts'
import { createUsageReader, number } from './container-usage.ts'

export interface PressureSampler {
  /** @param containers ids of running containers; @param disk a folder on the file system that images and containers fill */
  sample(containers: readonly string[], disk: string): Promise<PressureSample>
}

export function createPressureSampler(reader: HostReader): PressureSampler {
  const usage = createUsageReader(reader)
  return {
    sample: async (containers, disk) => {
      const [memory, pids, storage] = await Promise.all([memoryLevel(reader), pidsLevel(reader), diskLevel(disk)])
      const levels: Partial<Record<Signal, Level>> = {
        ...(memory === null ? {} : { memory }),
        ...(pids === null ? {} : { pids }),
        ...(storage === null ? {} : { disk: storage }),
      }
      if (!isShort({ levels })) return { levels, usage: {} }
      const held = await Promise.all(containers.map(async (id) => [id, await usage.memoryAndPids(id)] as const))
      return { levels, usage: Object.fromEntries(held) }
    },
  }
}

export async function memoryLevel(reader: HostReader): Promise<Level | null> {
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
export async function pidsLevel(reader: HostReader): Promise<Level | null> {
  const used = number(/\d+\/(\d+)/.exec((await reader.read('/proc/loadavg')) ?? '')?.[1])
  const limits = await Promise.all(
    ['pid_max', 'threads-max'].map(async (name) => number((await reader.read(`/proc/sys/kernel/${name}`)) ?? undefined)),
  )
  const total = Math.min(...limits.flatMap((limit) => limit ?? []))
  return used === null || !Number.isFinite(total) ? null : { available: Math.max(0, total - used), total }
}

export async function diskLevel(folder: string): Promise<Level | null> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder)
    return blocks === 0 ? null : { available: bavail * bsize, total: blocks * bsize }
  } catch {
    return null
  }
}
