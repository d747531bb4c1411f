/** Network interfaces that are hardware, and what kind of link each is. */
import type { NetworkInterface } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { parseCount } from './id-list.ts'
import { driverName } from './probe-pci.ts'

const NET = '/sys/class/net'
const INTERFACES_SHOWN = 64

export interface NetworkFacts {
  readonly interfaces: readonly NetworkInterface[]
  /** class of the interface with the default route; null = no default route, or one through something virtual */
  readonly outward: NetworkInterface['class'] | null
}

export async function probeNetwork(reader: HostReader, evidence: Evidence): Promise<NetworkFacts> {
  const names = (await reader.list(NET)).filter((name) => name.length <= 64)
  const found = await Promise.all(names.map((name) => readInterface(reader, name)))
  const interfaces = found.filter((one) => one !== null).slice(0, INTERFACES_SHOWN)
  if (interfaces.length > 0) evidence.source('network', `${NET}/*/{type,uevent,wireless,operstate,speed}`)
  const outwardName = await defaultInterface(reader)
  const outward = interfaces.find((one) => one.name === outwardName)?.class ?? null
  if (outward !== null) evidence.source('networkClass', '/proc/net/route')
  return { interfaces, outward }
}

/** Name of the interface with the default route. */
export async function defaultInterface(reader: HostReader): Promise<string | null> {
  const routes = ((await reader.read('/proc/net/route')) ?? '').split('\n').map((line) => line.trim().split(/\s+/))
  return routes.find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')?.[0] ?? null
}

async function readInterface(reader: HostReader, name: string): Promise<NetworkInterface | null> {
  const dir = `${NET}/${name}`
  const [uevent, type, state, speed, link, device, wireless, phy] = await Promise.all([
    reader.read(`${dir}/uevent`),
    reader.read(`${dir}/type`),
    reader.read(`${dir}/operstate`),
    reader.read(`${dir}/speed`),
    reader.link(`${dir}/device/driver`),
    reader.list(`${dir}/device`),
    reader.list(`${dir}/wireless`),
    reader.list(`${dir}/phy80211`),
  ])
  const kind = /^DEVTYPE=(.+)$/m.exec(uevent ?? '')?.[1] ?? ''
  // bridges, pairs of containers and tunnels have no device below them
  if (device.length === 0 && kind !== 'wwan') return null
  const megabits = parseCount(speed)
  const driver = driverName(link)
  return {
    name,
    class: classOf(name, kind, type, wireless.length > 0 || phy.length > 0),
    ...(state === 'up' || state === 'down' ? { up: state === 'up' } : {}),
    ...(megabits === null || megabits === 0 ? {} : { speedMbps: megabits }),
    ...(driver === null ? {} : { driver }),
  }
}

function classOf(name: string, kind: string, type: string | null, wireless: boolean): NetworkInterface['class'] {
  // modems pose as Ethernet or as raw IP: only the device type tells
  if (kind === 'wwan' || name.startsWith('wwan')) return 'cellular'
  if (kind === 'wlan' || wireless) return 'wifi'
  return type === '1' ? 'ethernet' : 'other'
}
