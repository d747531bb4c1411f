/** Gives Services their address and their node ports. By the hash of the name, so that a Service that is made again gets its own again. */
import { NODE_PORT_FIRST, NODE_PORT_LAST, SERVICE_SLOTS, serviceAddress } from '../../protocol/services.ts'
import type { Service } from '../resources/service.ts'
import { byAge, keyOf } from './meta.ts'
import { textHash } from '../../protocol/text-hash.ts'

export interface Taken {
  readonly addresses: ReadonlySet<string>
  readonly nodePorts: ReadonlySet<number>
}

/** What others hold: a new address is one that nobody has; one that is held yields only to a Service that is older. */
export interface Others {
  readonly all: Taken
  readonly older: Taken
}

export function takenBy(services: readonly Service[], except: Service): Others {
  const others = services.filter((service) => keyOf(service) !== keyOf(except))
  return { all: heldBy(others), older: heldBy(others.filter((other) => byAge(other, except) < 0)) }
}

function heldBy(services: readonly Service[]): Taken {
  return {
    addresses: new Set(services.flatMap(({ spec }) => spec.clusterIP ?? [])),
    nodePorts: new Set(services.flatMap(({ spec }) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []))),
  }
}

/** The Service with everything given, or itself when nothing is missing. What an older one holds is given anew. */
export function withAddresses(service: Service, { all, older }: Others): Service {
  const { spec } = service
  const key = keyOf(service)
  const held = spec.clusterIP
  const address = held !== undefined && (held === 'None' || !older.addresses.has(held)) ? held : freeAddress(key, all.addresses)
  const own = new Set<number>()
  const ports = (spec.ports ?? []).map((port) => {
    if (spec.type !== 'NodePort') return port
    const asked = port.nodePort
    const keeps = asked !== undefined && !older.nodePorts.has(asked) && !own.has(asked)
    const nodePort = keeps ? asked : freeNodePort(`${key}/${port.port}`, new Set([...all.nodePorts, ...own]))
    if (nodePort === null) return port
    own.add(nodePort)
    return asked === nodePort ? port : { ...port, nodePort }
  })
  const same = address === held && ports.every((port, index) => port === spec.ports?.[index])
  if (same || address === null) return service
  return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: [address], ...(spec.ports === undefined ? {} : { ports }) } }
}

/** Node ports that somebody asked for by number and did not get. */
export function movedPorts(before: Service, after: Service): readonly { readonly asked: number; readonly got: number }[] {
  return (before.spec.ports ?? []).flatMap(({ nodePort: asked }, index) => {
    const got = after.spec.ports?.[index]?.nodePort
    return asked === undefined || got === undefined || asked === got ? [] : [{ asked, got }]
  })
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
