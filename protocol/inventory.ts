/**
 * Inventory: what the hardware is, as the device reads it. Every fact names its source; what could not be read is absent,
 * never guessed; conflicts are findings. The topology part has the field names of the golden machines used in tests.
 */
import { LIMITS } from './limits.ts'
import { anything, bool, int, list, map, num, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

export const NUMA_NODE = obj({
  id: required(int()),
  /** Linux list format; empty for a memory-only node */
  cpus: required(str({ max: 4096 })),
  memoryBytes: int(),
  /** page size in kB -> count */
  hugepages: map(int(), { max: 16 }),
  memoryOnly: bool(),
})

export const TOPOLOGY = obj({
  threads: required(int(1)),
  cores: int(1),
  sockets: int(1),
  onlineCpus: required(str({ max: 4096 })),
  offlineCpus: str({ max: 4096 }),
  /** cpus this agent's containers may use, when a cgroup restricts them */
  allowedCpus: str({ max: 4096 }),
  numaNodes: required(list(NUMA_NODE, { max: 1024 })),
  /** rows and columns in the order of numaNodes */
  distances: list(list(int()), { max: 1024 }),
  numaSynthesized: bool(),
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
  }),
  topology: required(TOPOLOGY),
  memory: obj({ totalBytes: required(int()), availableBytes: int(), swapBytes: int(), limitBytes: int() }),
  pids: obj({ capacity: required(int()), used: int(), limitedBy: str({ max: 128 }) }),
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
export type Topology = Infer<typeof TOPOLOGY>
export type Finding = Infer<typeof FINDING>
export type Inventory = Infer<typeof INVENTORY>
