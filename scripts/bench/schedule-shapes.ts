/** What is scheduled in `npm run bench -- schedule`: nodes and pods like those of kube-scheduler's scheduler_perf. */
import { PODS } from '../../cloud/resources/pod.ts'
import type { Node } from '../../cloud/resources/node.ts'
import type { Pod } from '../../cloud/resources/pod.ts'
import type { PodSpec } from '../../protocol/pod.ts'

export interface Shape {
  readonly name: string
  readonly nodes: number
  /** pods that run before the clock starts */
  readonly placed: number
  readonly pods: number
  /** what we want at least, pods per second with durable bindings */
  readonly floor: number
  node(index: number): Node
  pod(index: number, on: string | null): Pod
}

const ZONES = 10

export const SHAPES: readonly Shape[] = [
  shape('identical', { placed: 1000, pods: 10_000, floor: 5000 }, () => ({})),
  shape('distinct', { placed: 1000, pods: 5000, floor: 800 }, (index) => ({ cpu: `${10 + index}m`, memory: `${64 + (index % 512)}Mi` })),
  shape('hard spread over zones', { placed: 5000, pods: 5000, floor: 1000 }, () => ({
    spec: {
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    },
  })),
  shape('required anti-affinity by host', { placed: 1000, pods: 2000, floor: 600 }, () => ({
    spec: { affinity: { podAntiAffinity: near('kubernetes.io/hostname') } },
  })),
  shape('required affinity by zone', { placed: 5000, pods: 5000, floor: 350 }, () => ({
    spec: { affinity: { podAffinity: near('topology.kubernetes.io/zone') } },
  })),
  shape('pinned by name', { nodes: 15_000, placed: 0, pods: 30_000, floor: 5000 }, (index) => ({
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name(index % 15_000)] }] }],
          },
        },
      },
    },
  })),
]

interface Ask {
  readonly cpu?: string
  readonly memory?: string
  readonly spec?: Partial<PodSpec>
}

function shape(
  title: string,
  size: { readonly nodes?: number; readonly placed: number; readonly pods: number; readonly floor: number },
  ask: (index: number) => Ask,
): Shape {
  return { name: title, nodes: 5000, ...size, node: nodeOf, pod: (index, on) => podOf(index, on, ask(index)) }
}

function near(topologyKey: string) {
  return { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app: 'web' } } }] }
}

function name(index: number): string {
  return `node-${String(index).padStart(6, '0')}`
}

function nodeOf(index: number): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: name(index),
      uid: `node-${index}`,
      labels: { 'kubernetes.io/hostname': name(index), 'kubernetes.io/arch': 'arm64', 'topology.kubernetes.io/zone': `zone-${index % ZONES}` },
    },
    spec: {},
    status: {
      allocatable: { cpu: '16', memory: '32Gi', pods: '110', pids: '30000', 'ephemeral-storage': '100Gi' },
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  }
}

function podOf(index: number, on: string | null, { cpu = '100m', memory = '500Mi', spec = {} }: Ask): Pod {
  return PODS.defaults({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${String(index).padStart(6, '0')}`,
      namespace: 'default',
      uid: `uid-${index}`,
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web' },
    },
    spec: {
      containers: [{ name: 'main', image: 'registry.local/web:1', resources: { requests: { cpu, memory } } }],
      ...spec,
      ...(on === null ? {} : { nodeName: on }),
    },
  })
}
