/** What the processor calls itself, and the instruction sets that a workload may ask for. */
import type { CpuModel } from '../../protocol/inventory.ts'
import { lookUp } from '../../protocol/look-up.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { parseCount } from './id-list.ts'

const CPUINFO = '/proc/cpuinfo'

/** /proc/cpuinfo's word -> the name that node-feature-discovery gives it. The rest of a hundred flags selects nothing. */
const FLAGS: Readonly<Record<string, string>> = {
  aes: 'AESNI',
  avx: 'AVX',
  avx2: 'AVX2',
  avx512f: 'AVX512F',
  avx512bw: 'AVX512BW',
  avx512vl: 'AVX512VL',
  avx512_vnni: 'AVX512VNNI',
  avx_vnni: 'AVXVNNI',
  avx512_bf16: 'AVX512BF16',
  amx_tile: 'AMXTILE',
  amx_int8: 'AMXINT8',
  amx_bf16: 'AMXBF16',
  fma: 'FMA3',
  f16c: 'F16C',
  sse4_1: 'SSE4.1',
  sse4_2: 'SSE42',
  sha_ni: 'SHA',
  vmx: 'VMX',
  svm: 'SVM',
  hypervisor: 'HYPERVISOR',
  asimd: 'ASIMD',
  asimddp: 'ASIMDDP',
  asimdhp: 'ASIMDHP',
  sve: 'SVE',
  sve2: 'SVE2',
  crc32: 'CRC32',
  sha2: 'SHA2',
  atomics: 'ATOMICS',
  i8mm: 'I8MM',
  bf16: 'BF16',
  neon: 'NEON',
  vfpv4: 'VFPV4',
}

/** ARM's numbers for who made a core. */
const IMPLEMENTERS: Readonly<Record<string, string>> = {
  '0x41': 'ARM',
  '0x42': 'Broadcom',
  '0x43': 'Cavium',
  '0x46': 'Fujitsu',
  '0x48': 'HiSilicon',
  '0x4e': 'NVIDIA',
  '0x50': 'APM',
  '0x51': 'Qualcomm',
  '0x61': 'Apple',
  '0xc0': 'Ampere',
}

export async function probeCpuModel(reader: HostReader, evidence: Evidence): Promise<CpuModel | null> {
  const text = (await reader.read(CPUINFO)) ?? ''
  const first = (name: string): string | undefined => new RegExp(`^${name}\\s*:[ \\t]*(.+)$`, 'm').exec(text)?.[1]?.trim()
  const implementer = first('CPU implementer')
  const vendor = first('vendor_id') ?? lookUp(IMPLEMENTERS, implementer?.toLowerCase()) ?? implementer
  const name = first('model name') ?? first('cpu model') ?? first('cpu') ?? first('Processor') ?? first('uarch')
  const family = parseCount(first('cpu family') ?? first('CPU architecture'))
  const model = parseCount(first('model')) ?? hexOrNull(first('CPU part'))
  const flags = (first('flags') ?? first('Features') ?? '').split(/\s+/).flatMap((flag) => (Object.hasOwn(FLAGS, flag) ? [FLAGS[flag] ?? flag] : []))
  if (vendor === undefined && name === undefined && flags.length === 0) return null
  evidence.source('cpu', CPUINFO)
  return {
    ...(vendor === undefined ? {} : { vendor: vendor.slice(0, 64) }),
    ...(name === undefined ? {} : { name: name.slice(0, 128) }),
    ...(family === null ? {} : { family }),
    ...(model === null ? {} : { model }),
    flags: [...new Set(flags)].toSorted(),
  }
}

function hexOrNull(text: string | undefined): number | null {
  return text !== undefined && /^0x[0-9a-fA-F]{1,4}$/.test(text) ? Number.parseInt(text, 16) : null
}

/** The architecture of a copy of another machine, as Go names it: from what its /proc/cpuinfo looks like. Null = it does not say. */
export async function archOfCopy(reader: HostReader): Promise<string | null> {
  const text = (await reader.read(CPUINFO)) ?? ''
  if (/^vendor_id\s*:\s*(GenuineIntel|AuthenticAMD|HygonGenuine|CentaurHauls)/m.test(text)) return /^flags\s*:.*\blm\b/m.test(text) ? 'amd64' : '386'
  const arm = /^CPU architecture\s*:\s*(\S+)/m.exec(text)?.[1]
  if (arm !== undefined) return arm === '8' || arm === 'AArch64' ? 'arm64' : 'arm'
  if (/^vendor_id\s*:\s*IBM\/S390/m.test(text)) return 's390x'
  if (/^isa\s*:\s*rv64/m.test(text)) return 'riscv64'
  if (/^cpu\s*:\s*POWER/m.test(text)) return /little-endian|PowerNV|pSeries.*LE/.test(text) ? 'ppc64le' : 'ppc64'
  return null
}
