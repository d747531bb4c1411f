/**
 * Networks of the engine: one for each namespace, and one for the address of each Service, whose host end is that address.
 * INVARIANTS: found by name and label, so that a restart of the agent makes none anew; networks without this device's label
 * are never touched, whatever their name. One call after another: the engine makes two networks of one name when it is asked
 * twice at once, and starts no container in either.
 */
import type Docker from 'dockerode'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { isRecord } from '../../protocol/shape.ts'
import { serviceNetwork } from '../../protocol/services.ts'
import type { ContainerPlan, Outcome } from '../core/model.ts'
import type { PlannedNetwork } from '../core/service-model.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock, NetworkEngine } from '../ports.ts'
import { readFailure } from './docker-failures.ts'
import type { Caller } from './engine-call.ts'

const LABEL = { device: 'dev.skerry.device', of: 'dev.skerry.network' } as const
const MTU = 'com.docker.network.driver.mtu'

interface Listed {
  readonly id: string
  readonly name: string
  readonly gateway: string | null
}

export interface Networks extends NetworkEngine {
  /** before a container joins it; null = it is there */
  ensureNetwork(network: PlannedNetwork): Promise<Cause | null>
}

export function createNetworkEngine(docker: Docker, caller: Caller, device: string, clock: Clock): Networks {
  const { call } = caller
  let seen: { readonly found: readonly Listed[]; readonly untilMonoMs: number } | null = null
  const list = async (): Promise<readonly Listed[]> => {
    const label = [`${LABEL.device}=${device}`]
    const found = await call((abortSignal) => docker.listNetworks({ filters: { label }, abortSignal }))
    const listed = found.map(({ Id, Name, IPAM }) => ({ id: Id, name: Name, gateway: IPAM?.Config?.[0]?.Gateway ?? null }))
    seen = { found: listed, untilMonoMs: clock.now().monoMs + LIMITS.networksSeenMs.value }
    return listed
  }
  const remove = (id: string): Promise<unknown> => {
    seen = null
    return call((abortSignal) => docker.getNetwork(id).remove({ abortSignal }))
  }
  const ensureAmong = async (network: PlannedNetwork, found: readonly Listed[]): Promise<Cause | null> => {
    const [there, ...doubles] = found.filter(({ name }) => name === network.name).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    for (const { id } of doubles) await remove(id)
    if (there !== undefined && (network.address === undefined || there.gateway === network.address)) return null
    // the Service was made again and has another address now
    if (there !== undefined) await remove(there.id)
    seen = null
    return make(docker, caller, device, network)
  }
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run, run)
    last = next.catch(() => null)
    return next
  }
  return {
    ensureNetwork: (network) =>
      inTurn(async () => ensureAmong(network, seen !== null && clock.now().monoMs < seen.untilMonoMs ? seen.found : await list())),
    ensureNetworks: (wanted) =>
      inTurn(async () => {
        const found = await list()
        const causes: Cause[] = []
        for (const network of wanted) {
          const fault = await ensureAmong(network, found)
          if (fault !== null) causes.push(fault)
        }
        return causes
      }),
    dropNetworks: (wanted) =>
      inTurn(async () => {
        // one that is still in use stays until it is not
        let all = true
        for (const { id, name } of await list()) {
          if (wanted.has(name)) continue
          const gone = await remove(id).then(
            () => true,
            () => false,
          )
          all = all && gone
        }
        return all
      }),
  }
}

async function make(docker: Docker, caller: Caller, device: string, network: PlannedNetwork): Promise<Cause | null> {
  const { name, address, of } = network
  const subnet = address === undefined ? null : serviceNetwork(address)
  if (address !== undefined && subnet === null) return cause('service.address-unusable', { service: of, address, why: 'it is no service address' })
  const mtu = await bridgeMtu(docker, caller)
  const options = {
    ...(mtu === null ? {} : { [MTU]: mtu }),
    ...(subnet === null ? {} : { 'com.docker.network.bridge.enable_ip_masquerade': 'false' }),
  }
  try {
    await caller.call((abortSignal) =>
      docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Labels: { [LABEL.device]: device, [LABEL.of]: of },
        Options: options,
        // nothing is ever in it, so nothing goes out of it
        ...(subnet === null || address === undefined
          ? {}
          : { Internal: true, IPAM: { Driver: 'default', Config: [{ Subnet: subnet, Gateway: address }] } }),
        abortSignal,
      }),
    )
    return null
  } catch (error) {
    return createCause(network, readFailure(error).text)
  }
}

/** The engine gives its own bridge another MTU where the way out is narrower; networks made later do not follow by themselves. */
async function bridgeMtu(docker: Docker, { call }: Caller): Promise<string | null> {
  const bridge: unknown = await call(() => docker.getNetwork('bridge').inspect()).catch(() => null)
  const options = isRecord(bridge) ? bridge['Options'] : null
  const value = isRecord(options) ? options[MTU] : null
  return typeof value === 'string' ? value : null
}

/** The network that a container is to join is there; null = yes, or it joins none. */
export async function joined(networks: Pick<Networks, 'ensureNetwork'>, { pod, network }: ContainerPlan): Promise<Outcome | null> {
  const fault = pod.bridge === undefined || typeof network === 'object' ? null : await networks.ensureNetwork(pod.bridge)
  return fault === null ? null : { ok: false, cause: fault }
}

function createCause({ name, address, of }: PlannedNetwork, why: string): Cause {
  if (/already exists/i.test(why)) return cause('network.name-taken', { network: name })
  if (address !== undefined) return cause('service.address-unusable', { service: of, address, why })
  return /non-overlapping|could not find an available|all predefined address pools|overlap/i.test(why)
    ? cause('network.no-range', { namespace: of, why })
    : cause('network.failed', { namespace: of, why })
}
