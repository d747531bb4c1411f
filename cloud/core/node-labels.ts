/**
 * Labels that say what hardware a device has, named as node-feature-discovery and NVIDIA's feature discovery name them, so that
 * manifests written for those work here.
 */
import type { Inventory } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { lookUp } from '../../protocol/look-up.ts'

const FEATURE = 'feature.node.kubernetes.io/'

/** Sources of ours: a label below them that the device no longer says is taken away. `custom-` and others belong to people. */
const OURS: readonly string[] = [
  ...['cpu-', 'memory-', 'pci-', 'kernel-version.', 'storage-', 'system-os_release.', 'network-', 'usb-'].map((source) => `${FEATURE}${source}`),
  'nvidia.com/gpu.',
  'skerry.dev/network-class',
]

export function isHardwareLabel(key: string): boolean {
  return OURS.some((prefix) => key.startsWith(prefix))
}

/** At most the table's number; what says most comes first. */
export function hardwareLabels(inventory: Inventory): Readonly<Record<string, string>> {
  const pairs = [...placeLabels(inventory), ...gpuLabels(inventory), ...pciLabels(inventory), ...kernelLabels(inventory), ...cpuLabels(inventory)]
  const sound = pairs.flatMap(([key, value]) => {
    const clean = labelValue(value)
    return clean === '' || !/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(key.slice(key.indexOf('/') + 1)) ? [] : [[key, clean] as const]
  })
  return Object.fromEntries(sound.slice(0, LIMITS.featureLabels.value))
}

type Pair = readonly [string, string]

function placeLabels({ topology, disks = [], networkClass }: Inventory): readonly Pair[] {
  const nodes = topology.numaNodes.filter((node) => node.gpuMemory !== true)
  const solid = disks.some((disk) => disk.kind !== 'hdd' && disk.kind !== 'virtual')
  return [
    ...(nodes.length > 1 ? [[`${FEATURE}memory-numa`, 'true'] as const] : []),
    ...(topology.smtMax === undefined ? [] : [[`${FEATURE}cpu-hardware_multithreading`, String(topology.smtMax > 1)] as const]),
    ...(solid ? [[`${FEATURE}storage-nonrotationaldisk`, 'true'] as const] : []),
    ...(networkClass === undefined ? [] : [['skerry.dev/network-class', networkClass] as const]),
  ]
}

/** Of several models the first is named, as NVIDIA's own labels do. */
function gpuLabels({ topology }: Inventory): readonly Pair[] {
  const gpus = (topology.accelerators ?? []).filter((one) => one.resource?.startsWith('nvidia.com/') === true)
  const [first] = gpus
  if (first === undefined) return []
  const whole = new Set(gpus.map((one) => one.parent ?? one.id)).size
  return [
    ['nvidia.com/gpu.count', String(whole)],
    ...(first.model === undefined ? [] : [['nvidia.com/gpu.product', first.model.trim().replaceAll(/\s+/g, '-')] as const]),
    ...(first.memoryBytes === undefined || first.kind === 'mig'
      ? []
      : [['nvidia.com/gpu.memory', String(Math.round(first.memoryBytes / 1024 ** 2))] as const]),
    ...(first.driverVersion === undefined ? [] : [['nvidia.com/gpu.driver-version', first.driverVersion] as const]),
  ]
}

/** The classes that node-feature-discovery takes by default: displays, co-processors, accelerators. */
function pciLabels({ pciClasses = [] }: Inventory): readonly Pair[] {
  return pciClasses.filter((one) => /^(03..|0b40|12..)_/.test(one)).map((one) => [`${FEATURE}pci-${one}.present`, 'true'])
}

function kernelLabels({ os }: Inventory): readonly Pair[] {
  const version = /^(\d+)\.(\d+)/.exec(os?.kernel ?? '')
  if (os?.kernel === undefined || version === null) return []
  return [
    [`${FEATURE}kernel-version.full`, os.kernel],
    [`${FEATURE}kernel-version.major`, version[1] ?? ''],
    [`${FEATURE}kernel-version.minor`, version[2] ?? ''],
  ]
}

function cpuLabels({ cpu }: Inventory): readonly Pair[] {
  if (cpu === undefined) return []
  return [
    ...(cpu.vendor === undefined ? [] : [[`${FEATURE}cpu-model.vendor_id`, lookUp(VENDORS, cpu.vendor) ?? cpu.vendor] as const]),
    ...(cpu.family === undefined ? [] : [[`${FEATURE}cpu-model.family`, String(cpu.family)] as const]),
    ...(cpu.model === undefined ? [] : [[`${FEATURE}cpu-model.id`, String(cpu.model)] as const]),
    ...(cpu.flags ?? []).map((flag) => [`${FEATURE}cpu-cpuid.${flag}`, 'true'] as const),
  ]
}

/** as node-feature-discovery writes them */
const VENDORS: Readonly<Record<string, string>> = { GenuineIntel: 'Intel', AuthenticAMD: 'AMD', HygonGenuine: 'Hygon' }

function labelValue(text: string): string {
  return text
    .replaceAll(/[^-A-Za-z0-9_.]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
}
