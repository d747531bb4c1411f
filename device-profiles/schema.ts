/** A device profile: what sysfs cannot tell about a board, as data. A board is added without code: see README.md beside this file. */
import { bool, int, list, map, num, obj, oneOf, required, str } from '../protocol/shape.ts'
import type { Infer } from '../protocol/shape.ts'

/** The whole text, or its beginning where it ends in `*`. Case counts. */
const PATTERNS = list(str({ min: 2, max: 128 }), { max: 32 })

/** What the maker says is on the board. Compared with what is found: a difference is a finding, never a guess. */
export const DECLARED = obj({
  soc: str({ max: 64 }),
  /** the counts that this board is sold with */
  cores: list(int(1), { max: 8 }),
  /** NUMA nodes that are real, by firmware setting; absent = not known */
  numaNodes: list(int(1), { max: 8 }),
  /** the firmware makes fake NUMA nodes: joined ones are no surprise */
  fakeNuma: bool(),
  accelerators: list(
    obj({
      kind: required(oneOf('gpu', 'integrated-gpu', 'npu', 'tpu')),
      name: required(str({ max: 128 })),
      /** the resource it becomes when its driver is there */
      resource: required(str({ max: 128 })),
      /** what to install when it is not */
      driver: required(str({ max: 256 })),
    }),
    { max: 8 },
  ),
  storage: list(oneOf('nvme', 'ssd', 'hdd', 'emmc', 'sd'), { max: 8 }),
  network: list(oneOf('ethernet', 'wifi', 'cellular'), { max: 8 }),
  /** where these facts were read */
  source: required(str({ max: 256 })),
})

export const DEVICE_PROFILE = obj({
  /** also the value of the label skerry.dev/profile */
  name: required(str({ pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, says: 'a DNS label' })),
  title: required(str({ max: 128 })),
  /** arch, vendor and cpu must hold where they are given; of the names (compatible, model, product, board) one must */
  match: required(
    obj({
      arch: list(oneOf('amd64', 'arm64', 'arm', 'riscv64', '386', 'ppc64le', 's390x'), { max: 8 }),
      /** one of /proc/device-tree/compatible */
      compatible: PATTERNS,
      /** /proc/device-tree/model, or Model in /proc/cpuinfo */
      model: PATTERNS,
      /** /sys/class/dmi/id/sys_vendor */
      vendor: PATTERNS,
      /** /sys/class/dmi/id/product_name */
      product: PATTERNS,
      /** /sys/class/dmi/id/board_name */
      board: PATTERNS,
      /** `model name` in /proc/cpuinfo */
      cpu: PATTERNS,
    }),
  ),
  /** boards that are made alike: jetson, imx, raspberrypi, rockchip */
  family: str({ max: 63 }),
  declares: DECLARED,
  labels: map(str({ max: 63 }), { max: 16 }),
  /** what the system keeps for itself beside the agent's own reserve, in base units (cpu in milli) */
  reserve: map(num(), { max: 8 }),
  /** what the container engine must be told for this board */
  engine: obj({ runtime: str({ max: 64 }), needs: list(str({ max: 256 }), { max: 8 }) }),
  /** told to people beside the findings */
  notes: list(str({ max: 256 }), { max: 8 }),
})

export type DeviceProfile = Infer<typeof DEVICE_PROFILE>
export type Declared = Infer<typeof DECLARED>
