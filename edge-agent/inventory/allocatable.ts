/** What the device has, and what workloads may take of it. Base units; cpu in milli. */
import type { DeviceProfile } from '../../device-profiles/schema.ts'
import type { Accelerator, Peripheral } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { allocatablePids } from '../../protocol/pids.ts'
import { formatBytes } from '../../protocol/units.ts'
import type { CgroupFacts } from './probe-cgroup.ts'

export type Resources = Readonly<Record<string, number>>

export interface Measured {
  /** CPUs that may be used: online, and allowed by the cpuset */
  readonly cpus: number
  readonly memoryBytes: number | null
  readonly pids: number | null
  readonly storageBytes: number | null
  /** page size in bytes -> pages; sizes that the kernel offers but holds no pages of are 0 */
  readonly hugepages: Readonly<Record<string, number>>
  /** resource of a GPU, NPU or peripheral -> how many */
  readonly devices: Resources
}

/** What the system and the agent keep: never more than a tenth, so that the smallest device keeps room for work. */
export const RESERVE: Readonly<Record<string, { readonly amount: number; readonly why: string }>> = {
  cpu: { amount: 100, why: 'engine, agent and sshd when idle use about 3 % of one core; ten for their busy moments' },
  memory: { amount: 256 * 1024 * 1024, why: 'dockerd and containerd 120 MiB, agent 70 MiB, kernel and shell' },
  pids: { amount: 1_000, why: 'a Debian with dockerd runs about 200 tasks; an engineer must be able to log in' },
  'ephemeral-storage': { amount: 1024 * 1024 * 1024, why: 'room to pull the next image and to write the state file' },
}
const RESERVE_AT_MOST = 0.1

/** Facts that were not read are absent: nothing is placed by a guess. */
export function capacityOf(measured: Measured, cgroup: CgroupFacts | null): Resources {
  const quota = cgroup?.cpuQuotaMilli ?? Number.POSITIVE_INFINITY
  const memory = measured.memoryBytes === null ? null : Math.min(measured.memoryBytes, cgroup?.memoryMaxBytes ?? Number.POSITIVE_INFINITY)
  return {
    cpu: Math.min(measured.cpus * 1000, quota),
    ...(memory === null ? {} : { memory }),
    ...(measured.pids === null ? {} : { pids: measured.pids }),
    ...(measured.storageBytes === null ? {} : { 'ephemeral-storage': measured.storageBytes }),
    ...hugepageResources(measured.hugepages),
    ...measured.devices,
    pods: LIMITS.podsPerDevice.value,
  }
}

/**
 * Memory that is set aside for huge pages is nobody's ordinary memory, used or not; a cgroup's limit does not count it.
 *
 * @param totalBytes of the machine; null = not known
 */
export function allocatableOf(capacity: Resources, totalBytes: number | null, profile: DeviceProfile | null): Resources {
  const huge = Object.entries(capacity).reduce((sum, [name, bytes]) => (name.startsWith('hugepages-') ? sum + bytes : sum), 0)
  return Object.fromEntries(
    Object.entries(capacity).map(([name, whole]) => {
      const amount = name === 'memory' ? Math.max(0, Math.min(whole, (totalBytes ?? whole) - huge)) : whole
      const kept = Math.min(RESERVE[name]?.amount ?? 0, Math.floor(amount * RESERVE_AT_MOST))
      const ofProfile = profile?.reserve?.[name] ?? 0
      if (name === 'pids') return [name, allocatablePids({ capacity: amount, kubeReserved: kept, systemReserved: ofProfile, hardEviction: 0 })]
      return [name, Math.max(0, amount - kept - ofProfile)]
    }),
  )
}

/** `hugepages-2Mi`: bytes */
function hugepageResources(pages: Readonly<Record<string, number>>): Resources {
  return Object.fromEntries(
    Object.entries(pages).flatMap(([size, count]) => {
      const bytes = Number(size) * count
      return Number.isSafeInteger(bytes) ? [[`hugepages-${formatBytes(Number(size))}`, bytes]] : []
    }),
  )
}

/** How many of each resource the accelerators and peripherals make. */
export function deviceResources(accelerators: readonly Accelerator[], peripherals: readonly Peripheral[]): Resources {
  const counts: Record<string, number> = {}
  const names = [...accelerators.flatMap((one) => one.resource ?? []), ...peripherals.map((one) => `skerry.dev/${one.kind}`)]
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
