/** Gives Services their address and their node ports. By the hash of the name, so that a Service that is made again gets its own again. */
import { NODE_PORT_FIRST, NODE_PORT_LAST, SERVICE_SLOTS, serviceAddress } from '../../protocol/services.ts'
import type { Service } from '../resources/service.ts'
import { keyOf } from './meta.ts'
import { textHash } from './service-endpoints.ts'

export interface Taken {
  readonly addresses: ReadonlySet<string>
  readonly nodePorts: ReadonlySet<number>
}

/** What all other Services hold. */
export function takenBy(services: readonly Service[], except: Service): Taken {
  const others = services.filter((service) => keyOf(service) !== keyOf(except))
  return {
    addresses: new Set(others.flatMap(({ spec }) => spec.clusterIP ?? [])),
    nodePorts: new Set(others.flatMap(({ spec }) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []))),
  }
}

/** The Service with everything given, or itself when nothing is missing. An address that another one holds is given anew. */
export function withAddresses(service: Service, taken: Taken): Service {
  const { spec } = service
  const key = keyOf(service)
  const held = spec.clusterIP
  const address = held !== undefined && (held === 'None' || !taken.addresses.has(held)) ? held : freeAddress(key, taken.addresses)
  const used = new Set(taken.nodePorts)
  const ports = (spec.ports ?? []).map((port) => {
    if (spec.type !== 'NodePort') return port
    const nodePort = port.nodePort !== undefined && !used.has(port.nodePort) ? port.nodePort : freeNodePort(`${key}/${port.port}`, used)
    if (nodePort === null) return port
    used.add(nodePort)
    return port.nodePort === nodePort ? port : { ...port, nodePort }
  })
  const same = address === held && ports.every((port, index) => port === spec.ports?.[index])
  if (same || address === null) return service
  return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: [address], ...(spec.ports === undefined ? {} : { ports }) } }
}

function freeAddress(key: string, taken: ReadonlySet<string>): string | null {
  const first = textHash(key) % SERVICE_SLOTS
  for (let tries = 0; tries < SERVICE_SLOTS; tries += 1) {
    const address = serviceAddress((first + tries) % SERVICE_SLOTS)
    if (!taken.has(address)) return address
  }
  return null
}

function freeNodePort(key: string, taken: ReadonlySet<number>): number | null {
  const count = NODE_PORT_LAST - NODE_PORT_FIRST + 1
  const first = textHash(key) % count
  for (let tries = 0; tries < count; tries += 1) {
    const port = NODE_PORT_FIRST + ((first + tries) % count)
    if (!taken.has(port)) return port
  }
  return null
}
