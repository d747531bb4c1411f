/**
 * Golden cases of the scheduler: one behaviour per file, named after it. SKERRY_REWRITE=1 writes what came out into the
 * files, to be read as a diff before it is committed; refused in CI.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { Scalar, parseDocument } from 'yaml'
import { describe, expect, it } from 'vitest'
import { causeSentence } from '../protocol/causes.ts'
import { podInfo, REQUIRED_NODE_ANNOTATION } from '../cloud/core/scheduler/pod-info.ts'
import { DEFAULT_PROFILE } from '../cloud/core/scheduler/profile.ts'
import { schedule } from '../cloud/core/scheduler/schedule.ts'
import type { Decision } from '../cloud/core/scheduler/schedule.ts'
import { TOPOLOGY_ANNOTATION, topologyAnnotation } from '../cloud/core/scheduler/numa/node-topology.ts'
import { buildSnapshot } from '../cloud/core/scheduler/snapshot.ts'
import type { Node, Taint } from '../cloud/resources/node.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { PodSpec, Toleration } from '../protocol/pod.ts'

interface PodInput {
  readonly cpu?: string
  readonly memory?: string
  readonly pids?: number
  /** limits equal to requests */
  readonly guaranteed?: boolean
  readonly storage?: string
  readonly hostPort?: number
  readonly extended?: Readonly<Record<string, string>>
  readonly selector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly Toleration[]
  readonly requiredNode?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** further fields of the spec as Kubernetes writes them */
  readonly spec?: Partial<PodSpec>
}

interface NodeInput {
  readonly name: string
  readonly cpu?: string
  readonly memory?: string
  readonly pids?: number | null
  readonly storage?: string
  readonly slots?: number
  /** joined, and has not told its hardware */
  readonly untold?: boolean
  readonly ready?: boolean
  readonly cordoned?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly string[]
  readonly extended?: Readonly<Record<string, string>>
  /** as the device tells it; CPUs of one core each */
  readonly topology?: { readonly nodes: Readonly<Record<string, string>>; readonly gpus?: Readonly<Record<string, string>> }
  readonly pods?: readonly PodInput[]
}

interface Case {
  readonly why: string
  readonly nodes: readonly NodeInput[]
  readonly pod: PodInput
  readonly expect: string
}

const FOLDER = new URL('./cases/schedule/', import.meta.url)
const REWRITE = process.env['SKERRY_REWRITE'] === '1'
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted()

describe('schedule', () => {
  it('has its cases, and is never rewritten in CI', () => {
    expect(files.length).toBeGreaterThanOrEqual(40)
    expect(REWRITE && process.env['CI'] !== undefined).toBe(false)
  })

  for (const file of files) {
    it(file.replace('.yaml', '').replaceAll('-', ' '), () => {
      const document = parseDocument(readFileSync(new URL(file, FOLDER), 'utf8'))
      const input = document.toJS() as Case
      const running = input.nodes.flatMap((node) => (node.pods ?? []).map((pod, index) => podOf(pod, `${node.name}-${index}`, node.name)))
      const decision = schedule(DEFAULT_PROFILE, podInfo(podOf(input.pod, 'new', null)), buildSnapshot(input.nodes.map(nodeOf), running))
      const told = tell(decision)
      if (REWRITE) {
        const text = new Scalar(told)
        text.type = Scalar.BLOCK_LITERAL
        document.set('expect', text)
        writeFileSync(new URL(file, FOLDER), document.toString({ lineWidth: 0 }))
      } else expect(told).toBe(input.expect)
    })
  }
})

function tell(decision: Decision): string {
  if (decision.kind === 'node') return `on ${decision.node}\n`
  const nodes = decision.refusal.nodes.map(
    ({ node, reasons }) => `  ${node}: ${reasons.map(({ plugin, cause }) => `${plugin}: ${causeSentence(cause)}`).join('; ')}\n`,
  )
  return `${decision.refusal.sentence}\n${nodes.join('')}`
}

function nodeOf(input: NodeInput): Node {
  const { name, cpu = '4', memory = '4Gi', pids = 32_768, storage = '16Gi', slots = 110, ready = true } = input
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      ...(input.labels === undefined ? {} : { labels: input.labels }),
      ...(input.topology === undefined ? {} : { annotations: { [TOPOLOGY_ANNOTATION]: topologyOf(input.topology) } }),
    },
    spec: { unschedulable: input.cordoned === true, taints: (input.taints ?? []).map(taintOf) },
    status: {
      allocatable:
        input.untold === true
          ? {}
          : { cpu, memory, 'ephemeral-storage': storage, pods: slots, ...(pids === null ? {} : { pids }), ...input.extended },
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown', message: ready ? 'fine' : 'Not heard since noon.' }],
    },
  }
}

/** `nodes`: NUMA node -> CPUs, 4 GiB each; `gpus`: id -> its node. */
function topologyOf({ nodes, gpus = {} }: NonNullable<NodeInput['topology']>): string {
  const cpus = Object.values(nodes)
  const accelerators = Object.entries(gpus).map(([id, node]) => ({
    id,
    kind: 'gpu' as const,
    model: 'NVIDIA L4',
    numaNode: Number(node),
    resource: 'nvidia.com/gpu',
  }))
  const numaNodes = Object.entries(nodes).map(([id, list]) => ({ id: Number(id), cpus: list, memoryBytes: 4 * 2 ** 30 }))
  return topologyAnnotation({ threads: 8, onlineCpus: cpus.join(','), numaNodes, accelerators })
}

function taintOf(text: string): Taint {
  const [pair = '', effect = ''] = text.split(':')
  const [key = '', value = ''] = pair.split('=')
  return { key, value, effect: effect as Taint['effect'] }
}

function podOf(input: PodInput, name: string, on: string | null): Pod {
  const requests = {
    ...(input.cpu === undefined ? {} : { cpu: input.cpu }),
    ...(input.memory === undefined ? {} : { memory: input.memory }),
    ...(input.storage === undefined ? {} : { 'ephemeral-storage': input.storage }),
    ...input.extended,
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      ...(input.labels === undefined ? {} : { labels: input.labels }),
      ...(input.annotations === undefined ? {} : { annotations: input.annotations }),
      ...(input.requiredNode === undefined ? {} : { annotations: { [REQUIRED_NODE_ANNOTATION]: input.requiredNode } }),
    },
    spec: {
      ...input.spec,
      ...(on === null ? {} : { nodeName: on }),
      ...(input.selector === undefined ? {} : { nodeSelector: input.selector }),
      ...(input.tolerations === undefined ? {} : { tolerations: input.tolerations }),
      containers: [
        {
          name: 'main',
          image: 'x',
          resources:
            input.guaranteed === true
              ? { requests, limits: requests }
              : { requests, ...(input.pids === undefined ? {} : { limits: { pids: input.pids } }) },
          ...(input.hostPort === undefined ? {} : { ports: [{ containerPort: 80, hostPort: input.hostPort }] }),
        },
      ],
    },
  }
}
