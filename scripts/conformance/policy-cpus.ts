/** cpu-manager-assignment.json: which CPUs are given, and in which order free ones are used up. */
import { CpuPool } from '../../cloud/core/scheduler/numa/cpu-pool.ts'
import { cpuTopology } from '../../cloud/core/scheduler/numa/cpu-topology.ts'
import type { CpuTopology } from '../../cloud/core/scheduler/numa/cpu-topology.ts'
import { formatIdList, parseIdList } from '../../protocol/id-list.ts'
import { takeDistributed } from '../../cloud/core/scheduler/numa/take-distributed.ts'
import { takePacked } from '../../cloud/core/scheduler/numa/take-packed.ts'
import type { Tally } from './suite.ts'

interface Machine {
  readonly cpus: Readonly<Record<string, { readonly core: number; readonly socket: number; readonly numa: number; readonly uncore?: number }>>
}

interface FreeCase {
  readonly name: string
  readonly topo: string
  readonly available: string
}

interface TakeCase extends FreeCase {
  readonly numCpus: number
  readonly options?: Readonly<Record<string, boolean>>
  readonly cpuGroupSize?: number
  readonly expectedError: string | null
  readonly expected: string
}

interface Table {
  readonly topologies: Readonly<Record<string, Machine>>
  readonly freeSockets?: readonly (FreeCase & { readonly expected: readonly number[] })[]
  readonly freeNumaNodes?: readonly (FreeCase & { readonly expected: readonly number[] })[]
  readonly freeSocketsAndNumaNodes?: readonly (FreeCase & {
    readonly expectedSockets: readonly number[]
    readonly expectedNumaNodes: readonly number[]
  })[]
  readonly freeCores?: readonly (FreeCase & { readonly expected: readonly number[] })[]
  readonly freeCpus?: readonly (FreeCase & { readonly expected: readonly number[] })[]
  readonly take?: readonly (FreeCase & {
    readonly take: readonly string[]
    readonly numCpus: number
    readonly expectedSatisfied: boolean
    readonly expectedFailed: boolean
  })[]
  readonly takeByTopologyPacked?: readonly TakeCase[]
  readonly takeByTopologySpreadCores?: readonly TakeCase[]
  readonly takeByTopologyDistributed?: readonly TakeCase[]
}

export function checkCpuAssignment(tally: Tally, json: unknown): void {
  const table = json as Table
  const machines = new Map(Object.entries(table.topologies).map(([name, machine]) => [name, machineOf(machine)]))
  const pool = (row: FreeCase, needed = 0): CpuPool => new CpuPool(machineNamed(machines, row.topo), ids(row.available), needed)
  const name = (kind: string, row: FreeCase): string => `cpu-assignment ${kind} ${row.name} (${row.topo})`
  const byId = (list: readonly number[]): readonly number[] => [...list].sort((a, b) => a - b)
  for (const row of table.freeSockets ?? []) tally.equal(name('freeSockets', row), byId(pool(row).wholeFree('socket')), byId(row.expected))
  for (const row of table.freeNumaNodes ?? []) tally.equal(name('freeNumaNodes', row), byId(pool(row).wholeFree('numa')), byId(row.expected))
  for (const row of table.freeSocketsAndNumaNodes ?? []) {
    const got = [byId(pool(row).wholeFree('socket')), byId(pool(row).wholeFree('numa'))]
    tally.equal(name('freeSocketsAndNumaNodes', row), got, [byId(row.expectedSockets), byId(row.expectedNumaNodes)])
  }
  for (const row of table.freeCores ?? []) tally.equal(name('freeCores', row), pool(row).wholeFree('core'), row.expected)
  for (const row of table.freeCpus ?? []) tally.equal(name('freeCpus', row), pool(row).packed(), row.expected)
  for (const row of table.take ?? []) {
    const taking = pool(row, row.numCpus)
    for (const cpus of row.take) taking.take(ids(cpus))
    tally.equal(name('take', row), [taking.satisfied, taking.failed], [row.expectedSatisfied, row.expectedFailed])
  }
  const takes = [
    ['packed', table.takeByTopologyPacked ?? []],
    ['spread', table.takeByTopologySpreadCores ?? []],
    ['distributed', table.takeByTopologyDistributed ?? []],
  ] as const
  for (const [kind, rows] of takes) {
    for (const row of rows) {
      const got = takeAs(kind, machineNamed(machines, row.topo), row)
      const expected = row.expectedError === null ? formatIdList(ids(row.expected)) : 'refused'
      tally.equal(`${name(kind, row)} ${row.numCpus} of ${row.available}`, got === null ? 'refused' : formatIdList(got), expected)
    }
  }
}

function takeAs(kind: 'packed' | 'spread' | 'distributed', machine: CpuTopology, row: TakeCase): readonly number[] | null {
  const option = (name: string): boolean => row.options?.[name] === true || row.options?.[`${name}Option`] === true
  const options = { acrossCores: kind === 'spread' || option('DistributeCPUsAcrossCores'), alignByCache: option('PreferAlignByUncoreCache') }
  if (kind === 'distributed') return takeDistributed(machine, ids(row.available), row.numCpus, row.cpuGroupSize ?? 1, options)
  return takePacked(machine, ids(row.available), row.numCpus, options)
}

function machineOf(machine: Machine): CpuTopology {
  return cpuTopology(
    Object.entries(machine.cpus).map(([cpu, seat]) => ({
      cpu: Number(cpu),
      core: seat.core,
      socket: seat.socket,
      numa: seat.numa,
      cache: seat.uncore ?? 0,
    })),
  )
}

function machineNamed(machines: ReadonlyMap<string, CpuTopology>, name: string): CpuTopology {
  const machine = machines.get(name)
  if (machine === undefined) throw new Error(`no topology "${name}" in the table`)
  return machine
}

function ids(text: string): readonly number[] {
  const list = parseIdList(text)
  if (list === null) throw new Error(`"${text}" is not a list of ids`)
  return list
}
