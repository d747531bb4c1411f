/** For each reason against a node, the one change of pod or node that would most likely lift it. */
import type { Cause } from '../../../protocol/causes.ts'
import type { Toleration } from '../../../protocol/pod.ts'
import type { Pod } from '../../resources/pod.ts'
import { amountText } from './filters/node-resources-fit.ts'
import type { NodeInfo, PodInfo } from './framework.ts'
import { withoutPod } from './snapshot.ts'
import { NETWORK_CLASS_ANNOTATION } from './filters/network-class.ts'

export interface Change {
  /** as an instruction to a person */
  readonly what: string
  readonly pod?: (pod: Pod) => Pod
  readonly node?: (node: NodeInfo) => NodeInfo
}

/** null when no small change helps: another architecture, another device than the one named. */
export function changeFor({ code, facts }: Cause, pod: PodInfo, node: NodeInfo): Change | null {
  switch (code) {
    case 'placement.cpu.short':
      return lessOf('cpu', pod, node)
    case 'placement.memory.short':
      return lessOf('memory', pod, node)
    case 'placement.pids.short':
      return lessOf('pids', pod, node)
    case 'placement.storage.short':
      return lessOf('ephemeral-storage', pod, node)
    case 'placement.resource.short':
      return moveAway(facts['resource'] ?? '', pod, node)
    case 'placement.pods.full':
      return moveAway('pods', pod, node)
    case 'placement.node.cordoned':
      return { what: `uncordon ${node.name}`, node: (one) => ({ ...one, unschedulable: false }) }
    case 'placement.node.not-ready':
      return { what: `bring ${node.name} back (${node.notReadyWhy})`, node: (one) => ({ ...one, ready: true, notReadyWhy: '' }) }
    case 'placement.selector.mismatch':
      return label(node, facts['key'] ?? '', facts['needs'] ?? '')
    case 'placement.taint.untolerated':
      return tolerate(facts['taint'] ?? '')
    case 'placement.port.taken':
      return anotherPort(Number(facts['port']), node)
    case 'placement.network.class':
      return { what: `drop the annotation ${NETWORK_CLASS_ANNOTATION}`, pod: withoutNetworkClass }
    default:
      return topologyChange({ code, facts })
  }
}

function topologyChange({ code, facts }: Cause): Change | null {
  switch (code) {
    case 'placement.spread.skew':
      return {
        what: `raise maxSkew of ${facts['key'] ?? ''} to ${facts['skew'] ?? ''}`,
        pod: (pod) => raiseSkew(pod, facts['key'] ?? '', Number(facts['skew'])),
      }
    case 'placement.affinity.node':
      return { what: 'drop the required node affinity', pod: (pod) => withoutRequired(pod, 'nodeAffinity') }
    case 'placement.affinity.pods-missing':
      return { what: `drop the required pod affinity by ${facts['key'] ?? ''}`, pod: (pod) => withoutRequired(pod, 'podAffinity') }
    case 'placement.affinity.pods-present':
      return { what: `drop the required pod anti-affinity by ${facts['key'] ?? ''}`, pod: (pod) => withoutRequired(pod, 'podAntiAffinity') }
    default:
      return null
  }
}

/** Ask for what is free; where nothing is, somebody else has to go. */
function lessOf(name: string, pod: PodInfo, node: NodeInfo): Change | null {
  const needs = pod.requests[name] ?? 0
  const free = (node.allocatable[name] ?? 0) - (node.requested[name] ?? 0)
  if (free <= 0 || pod.pod.spec.containers.length !== 1) return moveAway(name, pod, node)
  const value = name === 'cpu' ? `${free}m` : String(free)
  return {
    what: `ask for at most ${amountText(name, free)} ${name === 'pids' ? 'PIDs' : name} (now ${amountText(name, needs)})`,
    pod: (one) => ({
      ...one,
      spec: {
        ...one.spec,
        ...(one.spec.resources === undefined ? {} : { resources: lowered(one.spec.resources, name, value) }),
        containers: one.spec.containers.map((container) => ({ ...container, resources: lowered(container.resources, name, value) })),
      },
    }),
  }
}

type Resources = NonNullable<Pod['spec']['resources']>

function lowered(resources: Resources | undefined, name: string, value: string): Resources {
  const limited = resources?.limits?.[name] !== undefined || name === 'pids'
  return {
    ...resources,
    requests: { ...resources?.requests, [name]: value },
    ...(limited ? { limits: { ...resources?.limits, [name]: value } } : {}),
  }
}

/** The smallest pod whose going frees enough; never one that matters more. */
function moveAway(name: string, pod: PodInfo, node: NodeInfo): Change | null {
  const short = (pod.requests[name] ?? 0) + (node.requested[name] ?? 0) - (node.allocatable[name] ?? 0)
  const enough = [...node.pods.values()]
    .filter((other) => (other.requests[name] ?? 0) >= short && other.priority <= pod.priority)
    .toSorted((a, b) => (a.requests[name] ?? 0) - (b.requests[name] ?? 0) || (a.key < b.key ? -1 : 1))[0]
  return enough === undefined ? null : { what: `move ${enough.key} away from ${node.name}`, node: (one) => withoutPod(one, enough.uid) }
}

function label(node: NodeInfo, key: string, value: string): Change {
  return { what: `label ${node.name} with ${key}=${value}`, node: (one) => ({ ...one, labels: { ...one.labels, [key]: value } }) }
}

/** `taint` as people write it: key=value:Effect. */
function tolerate(taint: string): Change | null {
  const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(taint) ?? []
  if (effect !== 'NoSchedule' && effect !== 'NoExecute') return null
  const toleration: Toleration = value === undefined ? { key, operator: 'Exists', effect } : { key, operator: 'Equal', value, effect }
  return {
    what: `let the pod tolerate ${taint}`,
    pod: (pod) => ({ ...pod, spec: { ...pod.spec, tolerations: [...(pod.spec.tolerations ?? []), toleration] } }),
  }
}

function anotherPort(port: number, node: NodeInfo): Change | null {
  const taken = new Set([...node.pods.values()].flatMap((other) => other.hostPorts.map((held) => held.port)))
  let free = port + 1
  while (taken.has(free)) free += 1
  if (free > 65_535) return null
  const change = (pod: Pod): Pod => ({
    ...pod,
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map((container) =>
        container.ports === undefined
          ? container
          : { ...container, ports: container.ports.map((one) => (one.hostPort === port ? { ...one, hostPort: free } : one)) },
      ),
    },
  })
  return { what: `use host port ${free} instead of ${port}`, pod: change }
}

function raiseSkew(pod: Pod, key: string, skew: number): Pod {
  const spread = (pod.spec.topologySpreadConstraints ?? []).map((one) =>
    one.topologyKey === key ? { ...one, maxSkew: Math.max(one.maxSkew, skew) } : one,
  )
  return { ...pod, spec: { ...pod.spec, topologySpreadConstraints: spread } }
}

function withoutRequired(pod: Pod, part: 'nodeAffinity' | 'podAffinity' | 'podAntiAffinity'): Pod {
  const { requiredDuringSchedulingIgnoredDuringExecution: _, ...rest } = pod.spec.affinity?.[part] ?? {}
  return { ...pod, spec: { ...pod.spec, affinity: { ...pod.spec.affinity, [part]: rest } } }
}

function withoutNetworkClass(pod: Pod): Pod {
  const { [NETWORK_CLASS_ANNOTATION]: _, ...annotations } = pod.metadata.annotations ?? {}
  return { ...pod, metadata: { ...pod.metadata, annotations } }
}
