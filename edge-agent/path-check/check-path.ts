/**
 * The way to the cloud, step by step from the cable to the broker, so that a person on site can mend the first thing that is
 * broken. Runs only when asked, starts no process, ends within the table's time whatever the network does.
 */
import { isIP } from 'node:net'
import { LIMITS } from '../../protocol/limits.ts'
import { outageOf } from '../core/contact.ts'
import type { LinkState } from '../core/state.ts'
import type { Clock, HostReader, PathStep } from '../ports.ts'
import { addressStep, cableStep, routerStep } from './local-steps.ts'
import type { LocalAddress } from './local-steps.ts'
import { reached, resolved, secured } from './network.ts'
import type { Endpoint } from './network.ts'

export interface PathCheckOptions {
  readonly reader: HostReader
  readonly clock: Clock
  /** mqtt://host:port or mqtts://host:port */
  readonly broker: string
  readonly ca?: string
  readonly addresses: () => readonly LocalAddress[]
  /** names of the proxy variables that are set */
  readonly proxies: readonly string[]
  readonly link: () => LinkState
  /** moments that are surely past, for a clock that forgot the time */
  readonly surelyPastMs: () => number
}

/** All nine steps, in order. After one that failed, those that need it are `unknown`. */
export async function checkPath(options: PathCheckOptions): Promise<readonly PathStep[]> {
  const { reader, clock } = options
  const deadline = clock.now().monoMs + LIMITS.pathCheckMs.value
  const left = (): number => Math.max(1, Math.min(LIMITS.pathStepMs.value, deadline - clock.now().monoMs))
  const near = [await cableStep(reader), addressStep(options.addresses()), await routerStep(reader)]
  const endpoint = endpointOf(options)
  const further: PathStep[] = []
  if (endpoint === null) {
    const says = 'The broker address of the join file cannot be read.'
    further.push({ name: 'dns', result: 'failed', says, next: 'Make a new join file in the cloud.' })
  } else {
    further.push(isIP(endpoint.host) === 0 ? await resolved(endpoint.host, left()) : straight(endpoint.host))
  }
  const aside = [clockStep(options), proxyStep(options.proxies)]
  const named = further.every((step) => step.result === 'ok')
  const tcp = endpoint !== null && named ? await reached(endpoint, left()) : notReached('tcp')
  const tls = endpoint !== null && tcp.result === 'ok' ? await secured(endpoint, left()) : notReached('tls')
  return [...near, ...further, ...aside, tcp, tls, brokerStep(options.link(), tcp.result === 'ok' && tls.result !== 'failed')]
}

function endpointOf({ broker, ca }: PathCheckOptions): Endpoint | null {
  let url: URL
  try {
    url = new URL(broker)
  } catch {
    return null
  }
  const tls = url.protocol === 'mqtts:' || url.protocol === 'wss:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (tls ? 8883 : 1883) : Number(url.port)
  return host === '' ? null : { host, port, tls, ...(ca === undefined ? {} : { ca }) }
}

function straight(host: string): PathStep {
  return { name: 'dns', result: 'ok', says: `The broker is given by its address ${host}; no name is needed.` }
}

function notReached(name: PathStep['name']): PathStep {
  return { name, result: 'unknown', says: 'Not reached: an earlier step failed.' }
}

function clockStep({ clock, surelyPastMs }: PathCheckOptions): PathStep {
  const { wallMs } = clock.now()
  const says = `The clock says ${new Date(wallMs).toISOString()}.`
  if (wallMs >= surelyPastMs()) return { name: 'clock', result: 'ok', says }
  return {
    name: 'clock',
    result: 'failed',
    says: `${says} That is in the past.`,
    next: 'Set the clock, or let the device reach a time server (NTP).',
  }
}

function proxyStep(proxies: readonly string[]): PathStep {
  if (proxies.length === 0) return { name: 'proxy', result: 'ok', says: 'No proxy is set; the way is straight.' }
  return {
    name: 'proxy',
    result: 'unknown',
    says: `${proxies.join(', ')} is set; MQTT does not use it.`,
    next: 'Let the firewall pass the broker port straight through.',
  }
}

function brokerStep(link: LinkState, reachable: boolean): PathStep {
  switch (link.kind) {
    case 'up':
      return { name: 'broker', result: 'ok', says: 'The broker took this device in.' }
    case 'disabled':
      return { name: 'broker', result: 'unknown', says: 'This device works without a cloud.' }
    case 'connecting':
    case 'down': {
      const outage = outageOf(link)
      if (outage === null) return { name: 'broker', result: 'unknown', says: 'The agent is connecting just now; test again.' }
      if (!reachable) return notReached('broker')
      return {
        name: 'broker',
        result: 'failed',
        says: `The broker says no: ${outage.why}.`,
        next: 'Make a new join file in the cloud and put it here.',
      }
    }
  }
}
