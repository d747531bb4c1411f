/** Which pods stand behind a Service, and how that is written as Endpoints and EndpointSlices. Equal pods give equal objects. */
import { LIMITS } from '../../protocol/limits.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { textHash } from '../../protocol/text-hash.ts'
import type { Endpoints } from '../resources/endpoints.ts'
import { SERVICE_NAME_LABEL, SLICE_MANAGER_LABEL } from '../resources/endpoint-slice.ts'
import type { EndpointSlice } from '../resources/endpoint-slice.ts'
import type { Pod } from '../resources/pod.ts'
import type { Service } from '../resources/service.ts'
import { isHeadless } from '../resources/service-spec.ts'
import { compareText, conditionOf, controllerReference, isDeleting, nameOf, namespaceOf, uidOf } from './meta.ts'
import { isFinished } from './pod-state.ts'

/** On Endpoints that are kept by the cloud; those of a Service without a selector are somebody's own. */
export const MANAGED_LABEL = 'endpoints.kubernetes.io/managed-by'
export const MANAGER = 'skerry.dev'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'

export interface EndpointPort {
  readonly name?: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
}

export interface ServiceEndpoint {
  readonly pod: Pod
  readonly ip: string
  readonly ready: boolean
  readonly terminating: boolean
  readonly ports: readonly EndpointPort[]
}

/** True when the Service has a selector and these labels match it: an empty selector means that somebody else names the addresses. */
export function serviceSelects(service: Service, labels: Readonly<Record<string, string>> | undefined): boolean {
  const wanted = Object.entries(service.spec.selector ?? {})
  return wanted.length > 0 && wanted.every(([key, value]) => labels !== undefined && Object.hasOwn(labels, key) && labels[key] === value)
}

/** Pods with an address, in a fixed order; those that have ended are none. */
export function endpointsOf(service: Service, pods: readonly Pod[]): readonly ServiceEndpoint[] {
  return pods
    .filter((pod) => namespaceOf(pod) === namespaceOf(service) && serviceSelects(service, pod.metadata.labels) && !isFinished(pod))
    .flatMap((pod): readonly ServiceEndpoint[] => {
      const ip = pod.status?.podIP
      if (ip === undefined || ip === '') return []
      const terminating = isDeleting(pod)
      const isReady = conditionOf(pod.status?.conditions, 'Ready')?.status === 'True'
      const ready = (isReady && !terminating) || service.spec.publishNotReadyAddresses === true
      return [{ pod, ip, ready, terminating, ports: portsOf(service, pod) }]
    })
    .toSorted((a, b) => compareText(nameOf(a.pod), nameOf(b.pod)))
}

/** A port whose name this pod does not have is left out, as in Kubernetes. */
function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec.ports ?? []).flatMap(({ name, port, targetPort = port, protocol = 'TCP' }): readonly EndpointPort[] => {
    const number = typeof targetPort === 'number' ? targetPort : namedPort(pod, targetPort)
    return number === null ? [] : [{ ...(name === undefined ? {} : { name }), port: number, protocol }]
  })
}

function namedPort(pod: Pod, name: string): number | null {
  const ports = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((container) => container.ports ?? [])
  return ports.find((port) => port.name === name)?.containerPort ?? null
}

/** Endpoints hold at most the table's number of addresses; ready ones first. */
export function endpointsObject(service: Service, found: readonly ServiceEndpoint[]): Endpoints {
  const max = LIMITS.endpointsPerService.value
  const listed = found.filter(({ terminating }) => !terminating).toSorted((a, b) => Number(b.ready) - Number(a.ready))
  const subsets = grouped(listed.slice(0, max), ({ ports }) => ports).map(({ ports, members }) => {
    const of = (ready: boolean): NonNullable<Endpoints['subsets']>[number]['addresses'] =>
      members.filter((member) => member.ready === ready).map(({ ip, pod }) => ({ ip, ...nodeOf(pod), targetRef: referenceTo(pod) }))
    const [addresses = [], notReadyAddresses = []] = [of(true), of(false)]
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
      ...(ports.length === 0 ? {} : { ports }),
    }
  })
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: nameOf(service),
      namespace: namespaceOf(service),
      labels: { ...service.metadata.labels, [MANAGED_LABEL]: MANAGER, ...headlessLabel(service) },
      ...(listed.length > max ? { annotations: { [OVER_CAPACITY]: 'truncated' } } : {}),
    },
    ...(subsets.length === 0 ? {} : { subsets }),
  }
}

/**
 * One group of slices for each list of ports. A pod stays in its slice while their number is the same, so that one change
 * rewrites one slice.
 */
export function endpointSlices(service: Service, found: readonly ServiceEndpoint[]): readonly EndpointSlice[] {
  const slices: EndpointSlice[] = []
  for (const { ports, members } of grouped(found, ({ ports: of }) => of)) {
    // half full on average: a hash spreads unevenly
    const count = Math.ceil((members.length * 2) / LIMITS.endpointsPerSlice.value)
    for (let part = 0; part < count; part += 1) {
      const own = members.filter(({ pod }) => textHash(uidOf(pod)) % count === part)
      if (own.length > 0) slices.push(slice(service, slices.length, own, ports))
    }
  }
  return slices.length > 0 ? slices : [slice(service, 0, [], null)]
}

function slice(service: Service, index: number, members: readonly ServiceEndpoint[], ports: readonly EndpointPort[] | null): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${nameOf(service)}-${index}`,
      namespace: namespaceOf(service),
      labels: { [SERVICE_NAME_LABEL]: nameOf(service), [SLICE_MANAGER_LABEL]: MANAGER, ...headlessLabel(service) },
      ownerReferences: [controllerReference(service)],
    },
    addressType: 'IPv4',
    endpoints: members.map(({ pod, ip, ready, terminating }) => ({
      addresses: [ip],
      conditions: { ready, serving: ready || conditionOf(pod.status?.conditions, 'Ready')?.status === 'True', terminating },
      targetRef: referenceTo(pod),
      ...nodeOf(pod),
    })),
    ...(ports === null || ports.length === 0 ? {} : { ports }),
  }
}

function headlessLabel({ spec }: Service): Readonly<Record<string, string>> {
  return isHeadless(spec) ? { 'service.kubernetes.io/headless': '' } : {}
}

function nodeOf({ spec }: Pod): { readonly nodeName?: string } {
  return spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }
}

function referenceTo(pod: Pod): { readonly kind: string; readonly name: string; readonly namespace: string; readonly uid: string } {
  return { kind: 'Pod', name: nameOf(pod), namespace: namespaceOf(pod), uid: uidOf(pod) }
}

function grouped(
  members: readonly ServiceEndpoint[],
  portsOfMember: (member: ServiceEndpoint) => readonly EndpointPort[],
): readonly { readonly ports: readonly EndpointPort[]; readonly members: readonly ServiceEndpoint[] }[] {
  const groups = new Map<string, { readonly ports: readonly EndpointPort[]; readonly members: ServiceEndpoint[] }>()
  for (const member of members) {
    const ports = portsOfMember(member)
    const key = canonicalJson(ports)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ports, members: [member] })
    else group.members.push(member)
  }
  return [...groups].toSorted(([a], [b]) => compareText(a, b)).map(([, group]) => group)
}
