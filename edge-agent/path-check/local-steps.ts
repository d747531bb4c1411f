/** What the kernel tells about cable, address and router; files only. */
import type { HostReader, PathStep } from '../ports.ts'

export interface LocalAddress {
  readonly interface: string
  readonly address: string
}

/** A card with a carrier. Bridges and pairs of containers have no device behind them and do not count. */
export async function cableStep(reader: HostReader): Promise<PathStep> {
  const cards: { readonly name: string; readonly carrier: boolean }[] = []
  for (const name of await reader.list('/sys/class/net')) {
    if (name === 'lo' || (await reader.list(`/sys/class/net/${name}/device`)).length === 0) continue
    // reading the carrier of a card that is switched off is an error, so null
    cards.push({ name, carrier: (await reader.read(`/sys/class/net/${name}/carrier`))?.trim() === '1' })
  }
  const connected = cards.filter((card) => card.carrier).map((card) => card.name)
  if (cards.length === 0) return { name: 'cable', result: 'unknown', says: 'No network card is visible from here.' }
  if (connected.length > 0) return { name: 'cable', result: 'ok', says: `${connected.join(', ')} ${connected.length === 1 ? 'has' : 'have'} a link.` }
  const names = cards.map((card) => card.name).join(', ')
  return {
    name: 'cable',
    result: 'failed',
    says: `No link on ${names}.`,
    next: 'Plug the network cable in, or check the Wi-Fi or modem; look for the light at the socket.',
  }
}

/** An address beyond this machine and beyond the link-local ranges. */
export function addressStep(addresses: readonly LocalAddress[]): PathStep {
  const real = addresses.filter(({ address }) => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(address))
  if (real.length > 0) {
    const says = real
      .slice(0, 4)
      .map((one) => `${one.address} on ${one.interface}`)
      .join(', ')
    return { name: 'address', result: 'ok', says: `${says}.` }
  }
  return {
    name: 'address',
    result: 'failed',
    says: addresses.length === 0 ? 'The device has no address.' : 'The device has only a link-local address: no DHCP server answered.',
    next: 'Check the DHCP server of this network, or give the device a fixed address.',
  }
}

/** The default route of IPv4, or of IPv6 when there is no other. */
export async function routerStep(reader: HostReader): Promise<PathStep> {
  const four = await reader.read('/proc/net/route')
  const six = await reader.read('/proc/net/ipv6_route')
  if (four === null && six === null) return { name: 'router', result: 'unknown', says: 'The routes cannot be read.' }
  const router = defaultRouter(four ?? '') ?? defaultRouter6(six ?? '')
  if (router !== null) return { name: 'router', result: 'ok', says: `The way out is ${router}.` }
  return {
    name: 'router',
    result: 'failed',
    says: 'There is no default route.',
    next: 'Set the router (gateway) address of this network on the device.',
  }
}

/** `192.168.10.1 by eth0`; addresses are hexadecimal in the byte order of the machine, which is little-endian everywhere we run */
function defaultRouter(text: string): string | null {
  for (const line of text.split('\n').slice(1)) {
    const [card, destination, gateway, , , , , mask] = line.trim().split(/\s+/)
    if (card === undefined || destination !== '00000000' || mask !== '00000000' || gateway === undefined) continue
    const bytes = gateway.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []
    return gateway === '00000000' ? card : `${bytes.toReversed().join('.')} by ${card}`
  }
  return null
}

function defaultRouter6(text: string): string | null {
  for (const line of text.split('\n')) {
    const [destination, length, , , gateway, , , , , card] = line.trim().split(/\s+/)
    if (destination === '0'.repeat(32) && length === '00' && card !== undefined && card !== 'lo') {
      return `${gateway?.match(/.{4}/g)?.join(':') ?? '?'} by ${card}`
    }
  }
  return null
}
