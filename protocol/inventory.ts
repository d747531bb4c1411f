/**
 * Inventory: what the hardware is, as the device reads it. Every fact names its source; what could not be read is absent,
 * never guessed; conflicts are findings. The topology part has the field names of the golden machines used in tests.
 */
import { LIMITS } from './limits.ts'
import { anything, bool, int, list, map, num, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

export const NUMA_NODE = obj({
  id: required(int()),
  /** Linux list format; empty for a memory-only node */
  cpus: required(str({ max: 4096 })),
  memoryBytes: int(),
  /** page size in bytes -> pages */
  hugepages: map(int(), { max: 16 }),
  /** to each node, itself included, in the order of numaNodes */
  distances: list(int(), { max: 1024 }),
  /** no CPU of its own: persistent, high-bandwidth, CXL or GPU memory. Nothing is placed here. */
  memoryOnly: bool(),
  /** memory of a GPU that the kernel shows as a node: never given to a container as memory */
  gpuMemory: bool(),
})

/** A PCI function. Four hex digits each; absent = the kernel does not say. */
export const PCI_DEVICE = obj({
  address: required(str({ max: 32 })),
  class: required(str({ max: 4 })),
  vendor: str({ max: 4 }),
  device: str({ max: 4 }),
  /** the node whose CPUs are next to it; null = not known, or none in particular */
  numaNode: int(),
  /** the kernel's own numa_node file: -1 = it does not know */
  sysfsNumaNode: int(-1),
  driver: str({ max: 64 }),
})

/** CPUs of one make, where a chip mixes several. */
export const CORE_KIND = obj({
  /** the fastest is `performance`, the slowest `efficiency` */
  kind: required(oneOf('performance', 'middle', 'efficiency')),
  cpus: required(str({ max: 4096 })),
  /** the kernel's measure, 1024 = the fastest of the chip */
  capacity: int(),
  maxMHz: int(),
})

/** One device that computes beside the CPUs, found without tools. Loads and clocks are of the moment: never news. */
export const ACCELERATOR = obj({
  /** what a placement names: a GPU UUID, a MIG UUID, a PCI address, or a name under /sys */
  id: required(str({ min: 1, max: 128 })),
  kind: required(oneOf('gpu', 'integrated-gpu', 'npu', 'tpu', 'mig')),
  /** four hex digits where the device says so, else a name */
  vendor: str({ max: 64 }),
  device: str({ max: 64 }),
  revision: str({ max: 8 }),
  model: str({ max: 128 }),
  driver: str({ max: 64 }),
  driverVersion: str({ max: 64 }),
  /** PCI address */
  address: str({ max: 32 }),
  numaNode: int(),
  /** the GPU that a MIG device is a part of */
  parent: str({ max: 128 }),
  /** its own memory; absent where it shares that of the system */
  memoryBytes: int(),
  sharesSystemMemory: bool(),
  /** the resource it counts for; absent = it cannot be used, a finding says why */
  resource: str({ max: 128 }),
  /** what a container must be given to use it */
  deviceFiles: list(str({ max: 128 }), { max: 16 }),
  freqMaxHz: int(),
  freqHz: int(),
  freqMaxMHz: int(),
  freqMHz: int(),
  loadPercent: int(),
  coreLoads: list(int(), { max: 16 }),
  temperatureC: int(-273),
  powerW: num(),
  vramTotalBytes: int(),
  vramUsedBytes: int(),
  gttTotalBytes: int(),
})

export const TOPOLOGY = obj({
  threads: required(int(1)),
  cores: int(1),
  sockets: int(1),
  onlineCpus: required(str({ max: 4096 })),
  offlineCpus: str({ max: 4096 }),
  /** CPUs of each core, of each package and of each last-level cache; absent = not known */
  coreCpus: list(str({ max: 4096 }), { max: 4096 }),
  packageCpus: list(str({ max: 4096 }), { max: 256 }),
  cacheCpus: list(str({ max: 4096 }), { max: 4096 }),
  /** most threads that share one core */
  smtMax: int(1),
  coreKinds: list(CORE_KIND, { max: 8 }),
  /** cpus this agent's containers may use, when a cgroup restricts them */
  allowedCpus: str({ max: 4096 }),
  /** the same with the memory nodes, as the cgroup says; absent = not restricted */
  allowed: obj({ cpus: required(str({ max: 4096 })), mems: str({ max: 4096 }) }),
  cgroup: str({ max: 1024 }),
  numaNodes: required(list(NUMA_NODE, { max: 1024 })),
  /** rows and columns in the order of numaNodes */
  distances: list(list(int()), { max: 1024 }),
  numaSynthesized: bool(),
  /** real = as the kernel shows them; fake = several that are one were joined; none = the kernel knows no nodes */
  numaSource: oneOf('real', 'fake', 'none'),
  pciGpus: list(PCI_DEVICE, { max: LIMITS.pciDevicesShown.value }),
  pciAccelerators: list(PCI_DEVICE, { max: LIMITS.pciDevicesShown.value }),
  pciNics: list(PCI_DEVICE, { max: LIMITS.pciDevicesShown.value }),
  pciDeviceCount: int(),
  accelerators: list(ACCELERATOR, { max: LIMITS.acceleratorsShown.value }),
  /** pids.max of this process's cgroup and of those above it; the effective limit is the lowest */
  pids: obj({
    effectiveLimit: int(),
    chain: list(obj({ cgroup: required(str({ max: 1024 })), pidsMax: str({ max: 32 }) }), { max: 32 }),
  }),
  /** lowest of the chain, cpu in CPUs */
  cgroupLimits: obj({ pidsEffective: int(), memoryMaxEffective: int(), cpuQuotaEffective: num() }),
})

export const CPU_MODEL = obj({
  vendor: str({ max: 64 }),
  name: str({ max: 128 }),
  family: int(),
  model: int(),
  /** only those that a workload may ask for */
  flags: list(str({ max: 32 }), { max: 64 }),
})

export const DISK = obj({
  name: required(str({ max: 64 })),
  kind: required(oneOf('nvme', 'ssd', 'hdd', 'emmc', 'sd', 'virtual')),
  sizeBytes: int(),
  model: str({ max: 128 }),
  removable: bool(),
  /** upper bound of the life that was used up, as the device estimates it; above 100 = past its rated life */
  lifeUsedPercent: int(),
  /** the device's own warning that spare blocks run out */
  endOfLife: oneOf('normal', 'warning', 'urgent'),
})

export const NETWORK_INTERFACE = obj({
  name: required(str({ max: 64 })),
  class: required(oneOf('ethernet', 'wifi', 'cellular', 'other')),
  up: bool(),
  speedMbps: int(),
  driver: str({ max: 64 }),
})

/** Serial ports, cameras, GPIO chips: counted as resources. */
export const PERIPHERAL = obj({
  kind: required(oneOf('serial', 'camera', 'gpio')),
  name: str({ max: 128 }),
  file: required(str({ max: 128 })),
})

export const FILE_SYSTEM = obj({ mount: required(str({ max: 512 })), type: str({ max: 64 }), sizeBytes: int(), usedBytes: int() })

export const FINDING = obj({ what: required(str({ max: 1024 })), source: str({ max: 512 }) })

export const INVENTORY = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  at: required(str({ max: 40 })),
  agentVersion: required(str({ max: 64 })),
  os: obj({
    name: str({ max: 128 }),
    kernel: str({ max: 128 }),
    arch: required(str({ max: 32 })),
    hostname: str({ max: 253 }),
    bootId: str({ max: 64 }),
    machineId: str({ max: 64 }),
    board: str({ max: 256 }),
  }),
  engine: obj({
    name: str({ max: 64 }),
    version: str({ max: 64 }),
    apiVersion: str({ max: 32 }),
    cgroup: str({ max: 8 }),
    storageDriver: str({ max: 64 }),
    runtimes: list(str({ max: 64 }), { max: 32 }),
    dataRoot: str({ max: 512 }),
  }),
  topology: required(TOPOLOGY),
  memory: obj({ totalBytes: required(int()), availableBytes: int(), swapBytes: int(), limitBytes: int() }),
  pids: obj({ capacity: required(int()), used: int(), limitedBy: str({ max: 128 }) }),
  cpu: CPU_MODEL,
  disks: list(DISK, { max: 32 }),
  network: list(NETWORK_INTERFACE, { max: 64 }),
  /** class of the interface with the default route */
  networkClass: oneOf('ethernet', 'wifi', 'cellular', 'other'),
  peripherals: list(PERIPHERAL, { max: 64 }),
  /** PCI classes present, as class_vendor, for labels: 0300_10de */
  pciClasses: list(str({ max: 16 }), { max: 32 }),
  fileSystems: list(FILE_SYSTEM, { max: 64 }),
  addresses: list(obj({ interface: str({ max: 64 }), address: required(str({ max: 64 })) }), { max: 64 }),
  /** Kubernetes resource name -> quantity as a plain number in base units (cpu in milli) */
  allocatable: required(map(num(), { max: 64 })),
  capacity: required(map(num(), { max: 64 })),
  labels: map(str({ max: 63 }), { max: LIMITS.labelsPerObject.value }),
  findings: list(FINDING, { max: 64 }),
  /** fact path -> file or call it was read from */
  sources: map(str({ max: 512 }), { max: 256 }),
  extra: anything(),
})

export type NumaNode = Infer<typeof NUMA_NODE>
export type PciDevice = Infer<typeof PCI_DEVICE>
export type CoreKind = Infer<typeof CORE_KIND>
export type Accelerator = Infer<typeof ACCELERATOR>
export type CpuModel = Infer<typeof CPU_MODEL>
export type Disk = Infer<typeof DISK>
export type NetworkInterface = Infer<typeof NETWORK_INTERFACE>
export type Peripheral = Infer<typeof PERIPHERAL>
export type Topology = Infer<typeof TOPOLOGY>
export type Finding = Infer<typeof FINDING>
export type Inventory = Infer<typeof INVENTORY>
