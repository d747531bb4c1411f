/** Reads the Alibaba openb trace: nodes and pods from CSV, arrivals and expectations from the golden files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TypicalPod } from '../../cloud/core/scheduler/gpu/fragmentation.ts'
import { WHOLE_GPU } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import type { GpuAsk } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import type { TraceNode, TracePod } from './openb-replay.ts'

export interface Expected {
  readonly placementsSha256: string
  readonly published100?: number
  readonly published130?: number
}

export interface SeedRun {
  /** rows of the pod list, in order of arrival */
  readonly arrivals: readonly number[]
  /** rows of the node list: of equal nodes the first wins */
  readonly nodeOrder: readonly number[]
  readonly expected: Readonly<Record<string, Expected>>
}

export interface Golden {
  readonly workload: string
  readonly nodes: readonly TraceNode[]
  readonly pods: readonly TracePod[]
  readonly typical: readonly TypicalPod[]
  readonly seeds: ReadonlyMap<string, SeedRun>
}

interface GoldenFile {
  readonly workload: string
  readonly podCsv: string
  readonly nodeCsv: string
  readonly typicalPods: readonly { cpu_milli: number; gpu_milli: number; num_gpu: number; gpu_spec: string; freq: number }[]
  readonly seeds: Readonly<Record<string, SeedRun>>
}

/** Throws when a file is missing or is not what its name says. */
export function readGolden(folder: string, file: string): Golden {
  const golden = JSON.parse(readFileSync(join(folder, 'golden', file), 'utf8')) as GoldenFile
  return {
    workload: golden.workload,
    nodes: rows(join(folder, golden.nodeCsv)).map(traceNode),
    pods: rows(join(folder, golden.podCsv)).map(tracePod),
    typical: golden.typicalPods.map((pod) => ({
      ask: gpuAsk(pod.cpu_milli, pod.num_gpu, pod.gpu_milli, pod.gpu_spec),
      share: pod.freq,
    })),
    seeds: new Map(Object.entries(golden.seeds)),
  }
}

type Row = ReadonlyMap<string, string>

function rows(path: string): readonly Row[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  const names = (head ?? '').split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return new Map(names.map((name, column) => [name, cells[column] ?? '']))
  })
}

function traceNode(row: Row): TraceNode {
  return {
    name: row.get('sn') ?? '',
    memory: amount(row, 'memory_mib'),
    gpu: {
      cpuLeft: amount(row, 'cpu_milli'),
      gpuLeft: Array.from({ length: amount(row, 'gpu') }, () => WHOLE_GPU),
      model: row.get('model') ?? '',
      kinds: new Set(),
    },
  }
}

function tracePod(row: Row): TracePod {
  const ask = gpuAsk(amount(row, 'cpu_milli'), amount(row, 'num_gpu'), amount(row, 'gpu_milli'), row.get('gpu_spec') ?? '')
  return { ask, memory: amount(row, 'memory_mib') }
}

function gpuAsk(cpu: number, count: number, milli: number, models: string): GpuAsk {
  return { cpu, count, milli: count === 0 ? 0 : Math.min(milli, WHOLE_GPU), models: models === '' ? [] : models.split('|') }
}

function amount(row: Row, name: string): number {
  const value = Number(row.get(name) ?? '0')
  if (Number.isNaN(value)) throw new Error(`${name} is "${row.get(name) ?? ''}", expected a number`)
  return value
}
