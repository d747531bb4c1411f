/**
 * Services as a device gets them. A Service has one address that is the same on every device; each device holds that address
 * itself and forwards what arrives there, so that nothing of it needs the cloud.
 */
import { LIMITS } from './limits.ts'
import { bool, int, intOrString, list, map, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const PORT = int(1, 65_535)
const ADDRESS = str({ pattern: /^[0-9a-fA-F.:]{2,45}$/, says: 'an IP address' })

export const DESIRED_SERVICE_PORT = obj({
  name: str({ max: 63 }),
  port: required(PORT),
  /** a number, or the name of a container port: each pod has its own number then */
  target: required(intOrString()),
  /** on every address of the device, for others of its site; reaches pods of this device only */
  nodePort: PORT,
})

/** Where else it is answered: another device of the same site, which listens on the node ports. */
export const SERVICE_PEER = obj({ device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })), address: required(ADDRESS) })

/** Written by hand instead of a selector: something beside the cluster, such as a camera. */
export const SERVICE_OUTSIDE = obj({
  address: required(ADDRESS),
  ports: required(list(obj({ name: str({ max: 63 }), port: required(PORT) }), { max: 32 })),
})

export const DESIRED_SERVICE = obj({
  namespace: required(str({ min: 1, max: 63 })),
  name: required(str({ min: 1, max: 63 })),
  /** absent = headless: its name stands for the pods themselves */
  address: ADDRESS,
  ports: required(list(DESIRED_SERVICE_PORT, { max: 32 })),
  /** absent = it has no pods of its own */
  selector: map(str({ max: 63 }), { max: LIMITS.labelsPerObject.value }),
  affinity: oneOf('ClientIP'),
  affinitySeconds: int(1, 86_400),
  /** pods count before they are ready */
  notReady: bool(),
  /** pods of this device only, also for its own address */
  localOnly: bool(),
  peers: list(SERVICE_PEER, { max: LIMITS.peersPerService.value }),
  outside: list(SERVICE_OUTSIDE, { max: LIMITS.peersPerService.value }),
})

export type DesiredServicePort = Infer<typeof DESIRED_SERVICE_PORT>
export type ServicePeer = Infer<typeof SERVICE_PEER>
export type ServiceOutside = Infer<typeof SERVICE_OUTSIDE>
export type DesiredService = Infer<typeof DESIRED_SERVICE>

/**
 * The range of service addresses. It is set apart for tests of network equipment (RFC 2544), so that hardly any site uses it
 * for itself; private ranges and that of mobile carriers (100.64.0.0/10) are in use where gateways stand.
 */
export const SERVICE_RANGE = '198.18.0.0/15'
/** every address has a network of four of its own, of which it is the first host: an engine makes no smaller ones */
export const SERVICE_SLOTS = 2 ** 17 / 4

/** The service address of a slot, 0 to SERVICE_SLOTS - 1. */
export function serviceAddress(slot: number): string {
  const offset = slot * 4 + 1
  return `198.${18 + (offset >> 16)}.${(offset >> 8) & 0xff}.${offset & 0xff}`
}

/** The network of a service address, in CIDR form; null when it is no such address. */
export function serviceNetwork(address: string): string | null {
  const [, second, third, fourth] = /^198\.(18|19)\.(\d{1,3})\.(\d{1,3})$/.exec(address) ?? []
  if (second === undefined || Number(third) > 255 || Number(fourth) > 255 || Number(fourth) % 4 !== 1) return null
  return `198.${second}.${Number(third)}.${Number(fourth) - 1}/30`
}

export const NODE_PORT_FIRST = 30_000
export const NODE_PORT_LAST = 32_767
