/** A device profile: what sysfs cannot tell about a board, as data. A board is added without code. */
import { list, obj, oneOf, required, str, map, num } from '../protocol/shape.ts'
import type { Infer } from '../protocol/shape.ts'

export const DEVICE_PROFILE = obj({
  /** also the value of the label skerry.dev/profile */
  name: required(str({ pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, says: 'a DNS label' })),
  title: required(str({ max: 128 })),
  /** every list that is given must hold the device's value; more given lists make a match more specific */
  match: required(
    obj({
      arch: list(oneOf('amd64', 'arm64', 'arm', 'riscv64'), { max: 8 }),
      /** one of /proc/device-tree/compatible */
      compatible: list(str({ max: 128 }), { max: 32 }),
      /** the whole of /sys/class/dmi/id/product_name */
      product: list(str({ max: 128 }), { max: 32 }),
    }),
  ),
  labels: map(str({ max: 63 }), { max: 16 }),
  /** what the system keeps for itself beside the agent's own reserve, in base units (cpu in milli) */
  reserve: map(num(), { max: 8 }),
  /** told to people beside the findings */
  notes: list(str({ max: 256 }), { max: 8 }),
})

export type DeviceProfile = Infer<typeof DEVICE_PROFILE>
