/**
 * Desired Services and what was observed -> networks, listeners and names. INVARIANTS
 * - Without a known desired state and a look at the engine there is no plan, and nothing that is there is taken away.
 * - Only pods that are desired, run and are ready stand behind a Service: what is on its way out is left out before it is
 *   stopped.
 */
import type { DesiredService } from '../../protocol/services.ts'
import { hostsText } from './hosts-text.ts'
import type { NamedPod } from './hosts-text.ts'
import { matchContainers } from './match.ts'
import type { Match } from './match.ts'
import type { DesiredPod, ObservedContainer } from './model.ts'
import { namespaceNetwork, serviceNetworkName } from './network-names.ts'
import { podAddress } from './pod-address.ts'
import { isReady } from './readiness.ts'
import type { Backend, PlannedListener, PlannedNetwork, ServicePlan } from './service-model.ts'
import type { AgentState } from './state.ts'

/** null = nothing is known yet, or this device has no folder for the files: everything stays as it is. */
export function servicePlan(state: Pick<AgentState, 'device' | 'knowledge' | 'desired' | 'observed' | 'probes' | 'local'>): ServicePlan | null {
  const { device, knowledge, desired, observed, probes, local } = state
  if (knowledge !== 'known' || desired === null || observed === null || local?.networks === undefined) return null
  const services = desired.services ?? []
  const pods = [...byPod(matchContainers(desired.pods, observed).wanted)].map(([, matches]) => standing(matches, observed, probes))
  const found = pods.filter((pod) => pod !== null)
  const namespaces = new Set([...desired.pods, ...observed].map(({ namespace }) => namespace))
  return {
    networks: [
      ...[...namespaces].toSorted().map((namespace): PlannedNetwork => ({ name: namespaceNetwork(device, namespace), of: namespace })),
      ...services.flatMap(({ namespace, name, address }): readonly PlannedNetwork[] =>
        address === undefined ? [] : [{ name: serviceNetworkName(device, namespace, name), address, of: `${namespace}/${name}` }],
      ),
    ],
    listeners: services.flatMap((service) => listenersOf(service, found)),
    hosts: found.flatMap(({ pod, ip }) => (pod.spec.hostNetwork === true ? [] : [{ podUid: pod.uid, text: hostsText(pod, ip, services, found) }])),
  }
}

/** A pod of this device with where it is reached. */
export interface StandingPod extends NamedPod {
  readonly pod: DesiredPod
  /** as its own namespace knows it; null while it has none */
  readonly ip: string | null
  /** as the host reaches it */
  readonly host: string | null
  readonly ready: boolean
}

function byPod(matches: readonly Match[]): ReadonlyMap<string, readonly Match[]> {
  const pods = new Map<string, Match[]>()
  for (const match of matches) {
    const same = pods.get(match.pod.uid)
    if (same === undefined) pods.set(match.pod.uid, [match])
    else same.push(match)
  }
  return pods
}

function standing(matches: readonly Match[], observed: readonly ObservedContainer[], probes: AgentState['probes']): StandingPod | null {
  const [first] = matches
  if (first === undefined) return null
  const { pod } = first
  const main = matches.filter(({ role }) => role === 'main')
  const running = main.map((match) => match.kept ?? match.older[0] ?? null)
  const some = running.find((one) => one?.state === 'running') ?? null
  const host = some === null ? null : podAddress(pod, some, observed)
  return { pod, ip: pod.spec.hostNetwork === true ? null : host, host, ready: host !== null && main.every((match) => isReady(match, probes)) }
}

/** Does this pod stand behind the Service now? */
export function serves(service: DesiredService, { pod, host, ready }: StandingPod): boolean {
  return host !== null && (ready || service.notReady === true) && pod.namespace === service.namespace && selected(service, pod)
}

function selected({ selector }: DesiredService, { labels = {} }: DesiredPod): boolean {
  return selector !== undefined && Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}

function listenersOf(service: DesiredService, pods: readonly StandingPod[]): readonly PlannedListener[] {
  const own = pods.filter((pod) => serves(service, pod))
  const base = {
    service: `${service.namespace}/${service.name}`,
    affinitySeconds: service.affinity === undefined ? null : (service.affinitySeconds ?? 10_800),
  }
  return service.ports.flatMap((port): readonly PlannedListener[] => {
    const near = own.flatMap((pod): readonly Backend[] => {
      const target = typeof port.target === 'number' ? port.target : namedPort(pod.pod, port.target)
      return target === null || pod.host === null ? [] : [{ host: pod.host, port: target, near: true }]
    })
    const { nodePort } = port
    const peers =
      nodePort === undefined || service.localOnly === true
        ? []
        : (service.peers ?? []).map(({ address }) => ({ host: address, port: nodePort, near: false }))
    const outside = (service.outside ?? []).flatMap(({ address, ports }): readonly Backend[] => {
      const target = ports.length === 1 ? ports[0] : ports.find(({ name }) => name === port.name)
      return target === undefined ? [] : [{ host: address, port: target.port, near: false }]
    })
    const all = [...near, ...peers, ...outside]
    return [
      ...(service.address === undefined || all.length === 0 ? [] : [{ ...base, host: service.address, port: port.port, backends: all }]),
      // pods of this device only: two devices that sent on to each other would never end
      ...(nodePort === undefined || near.length === 0 ? [] : [{ ...base, host: null, port: nodePort, backends: near }]),
    ]
  })
}

function namedPort(pod: DesiredPod, name: string): number | null {
  const ports = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((container) => container.ports ?? [])
  return ports.find((port) => port.name === name)?.containerPort ?? null
}
