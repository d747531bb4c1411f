/**
 * Memory, operating system, file systems and addresses. Starts no process: of systeminformation only `mem` does not (fsSize runs
 * df, osInfo and networkInterfaces run shells), so the rest is read here.
 */
import { statfs } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { mem } from 'systeminformation/lib/memory.js'
import type { Inventory } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { parseCount } from './id-list.ts'
import { defaultInterface } from './probe-network.ts'

export interface Memory {
  readonly totalBytes: number
  readonly availableBytes: number
  readonly swapBytes: number
}

/** The calls that ask the running system itself and not a file below a root: replaced where a copy of another host is read. */
export interface SystemCalls {
  memory(): Promise<Memory>
  /** size and use of the file system that holds the path; rejects when it cannot be asked */
  fileSystem(path: string): Promise<{ readonly sizeBytes: number; readonly usedBytes: number }>
  addresses(): readonly { readonly interface: string; readonly address: string }[]
}

export const systemCalls: SystemCalls = {
  async memory() {
    const { total, available, swaptotal } = await mem()
    return { totalBytes: total, availableBytes: available, swapBytes: swaptotal }
  },
  async fileSystem(path) {
    const { bsize, blocks, bfree } = await statfs(path)
    return { sizeBytes: bsize * blocks, usedBytes: bsize * (blocks - bfree) }
  },
  addresses: () =>
    Object.entries(networkInterfaces()).flatMap(([name, list]) =>
      (list ?? []).flatMap((one) => (one.internal || one.family !== 'IPv4' ? [] : [{ interface: name, address: one.address }])),
    ),
}

/** A copy has files and no running system: its memory is what its /proc/meminfo says, its disks and addresses are not known. */
export function callsOfCopy(reader: HostReader): SystemCalls {
  return {
    async memory() {
      const text = (await reader.read('/proc/meminfo')) ?? ''
      const bytes = (name: string): number | null => {
        const kib = parseCount(new RegExp(`^${name}:\\s*(\\d{1,12})\\s*kB$`, 'm').exec(text)?.[1])
        return kib === null ? null : kib * 1024
      }
      const totalBytes = bytes('MemTotal')
      if (totalBytes === null) throw new Error('there is no MemTotal in /proc/meminfo')
      return { totalBytes, availableBytes: bytes('MemAvailable') ?? bytes('MemFree') ?? 0, swapBytes: bytes('SwapTotal') ?? 0 }
    },
    fileSystem: () => Promise.reject(new Error('a copy of a machine does not say how large its file systems are')),
    addresses: () => [],
  }
}

type Os = NonNullable<Inventory['os']>
type FileSystem = NonNullable<Inventory['fileSystems']>[number]

/** only these hold data of ours; a network file system whose server is gone would block the call */
const LOCAL_TYPES = ['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'vfat', 'overlay', 'ubifs', 'tmpfs']
const FILE_SYSTEMS_SHOWN = 16

export async function probeOs(reader: HostReader, arch: string, evidence: Evidence): Promise<Os> {
  const release = (await reader.read('/etc/os-release')) ?? (await reader.read('/usr/lib/os-release')) ?? ''
  const facts: Record<string, string | null | undefined> = {
    name: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1],
    kernel: await reader.read('/proc/sys/kernel/osrelease'),
    hostname: await reader.read('/proc/sys/kernel/hostname'),
    bootId: await reader.read('/proc/sys/kernel/random/boot_id'),
    machineId: await reader.read('/etc/machine-id'),
    board: (await reader.read('/proc/device-tree/model')) ?? (await reader.read('/sys/class/dmi/id/product_name')),
  }
  evidence.source('os.name', '/etc/os-release')
  evidence.source('os.kernel', '/proc/sys/kernel/osrelease')
  const known: Record<string, string> = {}
  for (const [key, value] of Object.entries(facts))
    if (value !== null && value !== undefined && value !== '') known[key] = value.slice(0, MAX_TEXT[key])
  return { arch, ...known }
}

/** as in the inventory's shape: an odd device tree must not make the whole inventory invalid */
const MAX_TEXT: Readonly<Record<string, number>> = { name: 128, kernel: 128, hostname: 253, bootId: 64, machineId: 64, board: 256 }

/** Local file systems, each device once. */
export async function probeFileSystems(reader: HostReader, calls: SystemCalls, evidence: Evidence): Promise<readonly FileSystem[]> {
  const lines = ((await reader.read('/proc/self/mounts')) ?? (await reader.read('/proc/mounts')) ?? '').split('\n')
  const seen = new Set<string>()
  const found: FileSystem[] = []
  for (const [device, mount, type] of lines.map((line) => line.split(' '))) {
    if (device === undefined || mount === undefined || type === undefined || !LOCAL_TYPES.includes(type) || mount.length > 512) continue
    const key = type === 'overlay' || type === 'tmpfs' ? mount : device
    if (seen.has(key) || (type === 'tmpfs' && mount !== '/') || (type === 'overlay' && mount !== '/')) continue
    seen.add(key)
    const size = await calls.fileSystem(mount).catch(() => null)
    if (size !== null && size.sizeBytes > 0) found.push({ mount, type, ...size })
    if (found.length === FILE_SYSTEMS_SHOWN) break
  }
  evidence.source('fileSystems', '/proc/self/mounts, statfs')
  return found
}

/** The address that others reach: that of the interface with the default route, else the first. */
export async function probeHostIp(reader: HostReader, addresses: ReturnType<SystemCalls['addresses']>, evidence: Evidence): Promise<string | null> {
  const outward = await defaultInterface(reader)
  evidence.source('hostIP', '/proc/net/route')
  return (
    (addresses.find((one) => one.interface === outward) ?? addresses.find((one) => !/^(docker|br-|veth|virbr|cni)/.test(one.interface)))?.address ??
    null
  )
}
