/** All that computes beside the CPUs, joined from what the bus, the drivers and the tools say. Pure. */
import { LIMITS } from '../../protocol/limits.ts'
import type { Accelerator, PciDevice } from '../../protocol/inventory.ts'
import { lookUp } from '../../protocol/look-up.ts'
import type { Evidence } from './findings.ts'
import type { SmiGpu, SmiMig } from './nvidia-smi.ts'
import type { NvidiaFacts, NvidiaGpu } from './probe-nvidia.ts'
import type { NodeCpus, PciFacts } from './probe-pci.ts'

export interface AcceleratorParts {
  readonly pci: PciFacts | null
  readonly nvidia: NvidiaFacts | null
  readonly smi: { readonly gpus: readonly SmiGpu[]; readonly migs: readonly SmiMig[] } | null
  /** what sysfs shows without the bus's help */
  readonly others: readonly Accelerator[]
  readonly nodes: readonly NodeCpus[]
}

const NVIDIA_VENDOR = '10de'

export function joinAccelerators(parts: AcceleratorParts, evidence: Evidence): readonly Accelerator[] {
  const all = [...nvidiaGpus(parts, evidence), ...parts.others.map((one) => withPlace(one, parts))]
  tellUnusable(parts, all, evidence)
  const max = LIMITS.acceleratorsShown.value
  if (all.length > max) evidence.finding(`${all.length} accelerators; the first ${max} are listed`)
  return all.slice(0, max)
}

function nvidiaGpus({ pci, nvidia, smi }: AcceleratorParts, evidence: Evidence): readonly Accelerator[] {
  const driven = new Map((nvidia?.gpus ?? []).map((gpu) => [gpu.address, gpu]))
  const cards = (pci?.gpus ?? []).filter((card) => card.vendor === NVIDIA_VENDOR || driven.has(card.address))
  const lost = [...driven.keys()].filter((address) => !cards.some((card) => card.address === address))
  if (lost.length > 0)
    evidence.finding(`the NVIDIA driver names GPUs that are not on the bus: ${lost.slice(0, 8).join(', ')}`, '/proc/driver/nvidia/gpus')
  return cards.flatMap((card, index) => {
    const gpu = driven.get(card.address) ?? null
    const asked = smi?.gpus.find((one) => one.address === card.address || (one.uuid !== null && one.uuid === gpu?.uuid)) ?? null
    const whole = wholeGpu(card, index, gpu, asked, nvidia?.driverVersion ?? null)
    if (asked?.memoryBytes !== null && asked !== null) evidence.source(`accelerators.${whole.id}.memoryBytes`, 'nvidia-smi')
    if (asked?.migEnabled !== true) return [whole]
    const slices = (smi?.migs ?? []).filter((mig) => mig.gpu === whole.id)
    if (slices.length === 0) evidence.finding('MIG is on but no part was made: the GPU cannot be used', card.address)
    return slices.map((mig) => migPart(mig, whole))
  })
}

function wholeGpu(card: PciDevice, index: number, gpu: NvidiaGpu | null, asked: SmiGpu | null, driverVersion: string | null): Accelerator {
  const model = asked?.name ?? gpu?.model ?? null
  const version = asked?.driverVersion ?? driverVersion
  // bound to vfio or nouveau, or not bound at all: a container cannot use it
  const usable = gpu !== null || card.driver === 'nvidia'
  return {
    // a GPU that was never used has no UUID under /proc yet: the engine also takes its number on the bus
    id: asked?.uuid ?? gpu?.uuid ?? String(index),
    kind: 'gpu',
    vendor: card.vendor ?? NVIDIA_VENDOR,
    ...(card.device === undefined ? {} : { device: card.device }),
    ...(model === null ? {} : { model: model.slice(0, 128) }),
    ...(usable || card.driver !== undefined ? { driver: card.driver ?? 'nvidia' } : {}),
    ...(version === null || !usable ? {} : { driverVersion: version.slice(0, 64) }),
    address: card.address,
    ...(card.numaNode === undefined ? {} : { numaNode: card.numaNode }),
    ...(asked === null || asked.memoryBytes === null ? {} : { memoryBytes: asked.memoryBytes }),
    ...(asked?.integrated === true ? { sharesSystemMemory: true } : {}),
    ...(usable ? { resource: 'nvidia.com/gpu' } : {}),
    ...(gpu?.minor === null || gpu === null ? {} : { deviceFiles: [`/dev/nvidia${gpu.minor}`] }),
  }
}

/** `1g.5gb` holds 5 GB; the resource is named as NVIDIA's plugin does in its mixed strategy. */
function migPart(mig: SmiMig, whole: Accelerator): Accelerator {
  const { memoryBytes: _whole, deviceFiles: _files, ...rest } = whole
  const gigabytes = /\.(\d{1,4})gb/.exec(mig.profile)?.[1]
  return {
    ...rest,
    id: mig.uuid.slice(0, 128),
    kind: 'mig',
    parent: whole.id,
    resource: `nvidia.com/mig-${mig.profile.replaceAll('+', '.')}`.slice(0, 128),
    ...(gigabytes === undefined ? {} : { memoryBytes: Number(gigabytes) * 1024 ** 3 }),
  }
}

/** A bus device is where the bus says; what is on the chip is on its only node. */
function withPlace(one: Accelerator, { pci, nodes }: AcceleratorParts): Accelerator {
  const withCpus = nodes.filter((node) => node.cpus !== '')
  const cards = pci === null ? [] : [...pci.gpus, ...pci.accelerators, ...pci.others]
  const card = one.address === undefined ? undefined : cards.find((device) => device.address === one.address)
  const numaNode = card?.numaNode ?? (withCpus.length === 1 ? withCpus[0]?.id : undefined)
  return { ...one, ...(numaNode === undefined ? {} : { numaNode }) }
}

/** A GPU that the driver runs still needs the engine's help to get into a container. */
export function tellRuntime(accelerators: readonly Accelerator[], runtimes: readonly string[] | null, evidence: Evidence): void {
  const nvidia = accelerators.some((one) => one.resource?.startsWith('nvidia.com/') === true)
  if (!nvidia || runtimes === null || runtimes.includes('nvidia')) return
  evidence.finding(
    'the engine has no nvidia runtime: GPUs reach containers only by CDI; install nvidia-container-toolkit if pods fail to start',
    'docker info',
  )
}

/** ids of display controllers of servers and virtual machines are no loss */
const COMPUTES: Readonly<Record<string, string>> = { '10de': 'NVIDIA', '1002': 'AMD', '1ac1': 'Coral', '1e60': 'Hailo' }

function tellUnusable({ pci }: AcceleratorParts, all: readonly Accelerator[], evidence: Evidence): void {
  const cards = pci === null ? [] : [...pci.gpus, ...pci.accelerators, ...pci.others]
  const usable = new Set(all.flatMap((one) => (one.address !== undefined && one.resource !== undefined ? [one.address] : [])))
  const byMaker = new Map<string, string[]>()
  for (const card of cards) {
    const maker =
      lookUp(COMPUTES, card.vendor) ?? (card.class.startsWith('12') || card.class === '0b40' ? `accelerator ${card.vendor ?? '?'}` : undefined)
    if (maker === undefined || usable.has(card.address)) continue
    byMaker.set(maker, [...(byMaker.get(maker) ?? []), `${card.address} (driver ${card.driver ?? 'none'})`])
  }
  for (const [maker, places] of byMaker) {
    const more = places.length > SHOWN ? ` and ${places.length - SHOWN} more` : ''
    evidence.finding(`${maker} devices without a driver that containers can use: ${places.slice(0, SHOWN).join(', ')}${more}`, '/sys/bus/pci/devices')
  }
}

const SHOWN = 4
