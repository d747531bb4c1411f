/** What the NVIDIA driver writes under /proc: which GPUs it runs, what they are called, their UUIDs. No tool is started. */
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'

export interface NvidiaGpu {
  /** PCI address as sysfs writes it */
  readonly address: string
  readonly model: string | null
  readonly uuid: string | null
  /** N of /dev/nvidiaN */
  readonly minor: number | null
}

export interface NvidiaFacts {
  readonly driverVersion: string | null
  readonly gpus: readonly NvidiaGpu[]
}

export const NVIDIA = '/proc/driver/nvidia'

/** null when the driver is not loaded */
export async function probeNvidia(reader: HostReader, evidence: Evidence): Promise<NvidiaFacts | null> {
  const addresses = await reader.list(`${NVIDIA}/gpus`)
  const version = await reader.read(`${NVIDIA}/version`)
  if (version === null && addresses.length === 0) return null
  const gpus = await Promise.all(addresses.map((name) => readGpu(reader, name)))
  evidence.source('topology.accelerators.nvidia', `${NVIDIA}/gpus/*/information`)
  return { driverVersion: /Kernel Module(?: for \S+)?\s+([\d.]+)/.exec(version ?? '')?.[1] ?? null, gpus }
}

async function readGpu(reader: HostReader, name: string): Promise<NvidiaGpu> {
  const text = (await reader.read(`${NVIDIA}/gpus/${name}/information`)) ?? ''
  const field = (key: string): string | null => new RegExp(`^${key}:\\s*(.+?)\\s*$`, 'm').exec(text)?.[1] ?? null
  const uuid = field('GPU UUID')
  const minor = /^\d{1,4}$/.exec(field('Device Minor') ?? '')?.[0]
  return {
    address: sysfsAddress(field('Bus Location') ?? name),
    model: field('Model')?.slice(0, 128) ?? null,
    // the driver writes question marks until the GPU was used once
    uuid: uuid !== null && /^GPU-[0-9a-f-]{36}$/.test(uuid) ? uuid : null,
    minor: minor === undefined ? null : Number(minor),
  }
}

/** NVIDIA's tools write an eight-digit domain in capitals, sysfs at least four digits in lower case. */
export function sysfsAddress(busId: string): string {
  const match = /^([0-9a-f]+):(.+)$/.exec(busId.trim().toLowerCase())
  if (match === null) return busId.trim().toLowerCase().slice(0, 32)
  return `${(match[1] ?? '').replace(/^0+/, '').padStart(4, '0')}:${match[2] ?? ''}`.slice(0, 32)
}
