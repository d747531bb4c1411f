/**
 * nvidia-smi, for what only it knows: memory and MIG. Started once, when the driver is loaded; never in the loop. What it
 * prints is read by pure functions; "[N/A]" and its like mean unknown, never 0.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { sysfsAddress } from './probe-nvidia.ts'

/** Runs nvidia-smi with these arguments; rejects with what it said when it fails. */
export type NvidiaSmi = (args: readonly string[]) => Promise<string>

export interface SmiGpu {
  readonly uuid: string | null
  readonly address: string | null
  readonly name: string | null
  readonly memoryBytes: number | null
  readonly driverVersion: string | null
  readonly migEnabled: boolean
  /** part of the chip: its memory is the system's */
  readonly integrated: boolean
}

export interface SmiMig {
  /** `1g.5gb` */
  readonly profile: string
  readonly uuid: string
  /** UUID of the GPU it is a part of */
  readonly gpu: string
}

const FIELDS = ['index', 'uuid', 'pci.bus_id', 'name', 'memory.total', 'driver_version', 'mig.mode.current'] as const
const MIB = 1024 * 1024

export async function askNvidiaSmi(run: NvidiaSmi): Promise<{ readonly gpus: readonly SmiGpu[]; readonly migs: readonly SmiMig[] }> {
  const rows = await run([`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'])
  const gpus = rows.split('\n').flatMap((row) => (row.trim() === '' ? [] : [readGpuRow(parseSmiRow(FIELDS, row))]))
  const migs = gpus.some((gpu) => gpu.migEnabled) ? parseMigList(await run(['-L'])) : []
  return { gpus, migs }
}

/** Fields end at ", ": names hold spaces. A value that nvidia-smi does not know is null. */
export function parseSmiRow(fields: readonly string[], row: string): Readonly<Record<string, string | null>> {
  const values = row.split(', ').map((value) => value.trim())
  return Object.fromEntries(fields.map((field, index) => [field, known(values[index])]))
}

const UNKNOWN = /^\[?(N\/A|Not Supported|Insufficient Permissions|Unknown Error|GPU is lost|Requires reset)\]?$/i

function known(value: string | undefined): string | null {
  return value === undefined || value === '' || UNKNOWN.test(value) ? null : value
}

/** `7979` and `7979 MiB` */
export function smiNumber(value: string | null | undefined): number | null {
  const match = /^(\d+(?:\.\d+)?)(?: (?:MiB|%|W|MHz))?$/.exec(value ?? '')
  return match === null ? null : Number(match[1])
}

/** Jetson and Thor call themselves so; everything that is measured is unknown there. */
export function isIntegrated(name: string | null): boolean {
  return name !== null && (/\(nvgpu\)/.test(name) || name.startsWith('NVIDIA Thor'))
}

function readGpuRow(row: Readonly<Record<string, string | null>>): SmiGpu {
  const name = row['name'] ?? null
  const busId = row['pci.bus_id'] ?? null
  const mebibytes = smiNumber(row['memory.total'])
  return {
    uuid: row['uuid'] ?? null,
    address: busId === null ? null : sysfsAddress(busId),
    name,
    memoryBytes: mebibytes === null ? null : Math.round(mebibytes * MIB),
    driverVersion: row['driver_version'] ?? null,
    migEnabled: row['mig.mode.current'] === 'Enabled',
    integrated: isIntegrated(name),
  }
}

/** `GPU 0: NVIDIA A100 (UUID: GPU-...)` and below it `  MIG 1g.5gb Device 0: (UUID: MIG-...)` */
export function parseMigList(text: string): readonly SmiMig[] {
  const migs: SmiMig[] = []
  let gpu = ''
  for (const line of text.split('\n')) {
    gpu = /^GPU \d+:.*\(UUID: (GPU-[0-9a-f-]+)\)/.exec(line)?.[1] ?? gpu
    const match = /^\s+MIG (\S+)\s+Device\s+\d+:\s*\(UUID: (MIG-[^)\s]+)\)/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined && gpu !== '') migs.push({ profile: match[1], uuid: match[2], gpu })
  }
  return migs
}

const EXIT_CODES: Readonly<Record<number, string>> = {
  2: 'it did not understand the question',
  3: 'the device does not offer this',
  4: 'no permission',
  6: 'no such GPU',
  8: 'a GPU has no external power',
  9: 'the driver is not loaded',
  10: 'a GPU has an interrupt problem',
  12: 'the NVML library was not found',
  13: 'this NVML library lacks a function',
  14: "a GPU's infoROM is corrupted",
  15: 'a GPU fell off the bus',
}

/** What an exit code says; null for 0. */
export function smiExitMeaning(code: number): string | null {
  return code === 0 ? null : (EXIT_CODES[code] ?? `exit code ${code}`)
}

/** Found by PATH. Ends within the limits table's time. Loaded only on machines that have the driver: it brings megabytes along. */
export const runNvidiaSmi: NvidiaSmi = async (args) => {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    execFile(
      'nvidia-smi',
      [...args],
      { timeout: LIMITS.nvidiaSmiMs.value, maxBuffer: LIMITS.hostFileBytes.value, encoding: 'utf8' },
      (error, stdout) => {
        if (error === null) return resolve(stdout)
        reject(
          new Error(
            typeof error.code === 'number'
              ? (smiExitMeaning(error.code) ?? error.message)
              : error.killed === true
                ? 'no answer in time'
                : error.message,
          ),
        )
      },
    )
  })
}
