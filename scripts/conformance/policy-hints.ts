/** cpu-manager-hints.json and device-manager.json: where CPUs and devices could be had, and which devices are given. */
import { cpuHints } from '../../cloud/core/scheduler/numa/cpu-hints.ts'
import { cpuTopology } from '../../cloud/core/scheduler/numa/cpu-topology.ts'
import { deviceHints, podAmounts } from '../../cloud/core/scheduler/numa/device-hints.ts'
import type { Device } from '../../cloud/core/scheduler/numa/device-hints.ts'
import { parseIdList } from '../../protocol/id-list.ts'
import { selectDevices } from '../../cloud/core/scheduler/numa/select-devices.ts'
import { hintRow, hintSet } from './policy-merge.ts'
import type { HintRow } from './policy-merge.ts'
import type { Tally } from './suite.ts'

interface CpuHintTable {
  readonly topology: { readonly nodes: Readonly<Record<string, string>>; readonly siblings: readonly string[] }
  readonly cases?: readonly {
    readonly name: string
    readonly request: number
    readonly available: string
    readonly allocated: string | null
    readonly expectedHints: readonly HintRow[]
  }[]
  readonly podGuaranteedCpus?: readonly {
    readonly name: string
    readonly init: readonly number[]
    readonly app: readonly number[]
    readonly expected: number
  }[]
}

export function checkCpuHints(tally: Tally, table: unknown): void {
  const { topology, cases = [], podGuaranteedCpus = [] } = table as CpuHintTable
  const nodes = Object.entries(topology.nodes).map(([id, cpus]) => ({ id: Number(id), cpus: ids(cpus) }))
  const seats = topology.siblings.flatMap((siblings, core) =>
    ids(siblings).map((cpu) => {
      const numa = nodes.find((node) => node.cpus.includes(cpu))?.id ?? -1
      return { cpu, core, socket: numa, numa, cache: numa }
    }),
  )
  const machine = cpuTopology(seats)
  for (const row of cases) {
    const hints = cpuHints(machine, { count: row.request, free: ids(row.available), held: ids(row.allocated ?? '') })
    tally.equal(`cpu-hints ${row.name}`, hintSet(hints?.map(hintRow) ?? null), hintSet(row.expectedHints))
  }
  for (const row of podGuaranteedCpus) {
    const amounts = podAmounts(
      row.init.map((cpu) => ({ cpu })),
      row.app.map((cpu) => ({ cpu })),
    )
    tally.equal(`cpu-hints pod total ${row.name}`, amounts['cpu'] ?? 0, row.expected)
  }
}

interface DeviceRow {
  readonly id: string
  readonly numa: readonly number[] | null
}

type Counts = Readonly<Record<string, number>>

interface DeviceTable {
  readonly hints?: readonly DeviceHintCase[]
  readonly alignedAllocation?: readonly AllocationCase[]
  readonly podDeviceRequest?: readonly {
    readonly name: string
    readonly pod: { readonly initContainers: readonly Counts[]; readonly containers: readonly Counts[] }
    readonly registered: readonly string[]
    readonly expected: Counts
  }[]
  readonly preferredAllocationParameters?: readonly PreferenceCase[]
}

interface DeviceHintCase {
  readonly name: string
  readonly scope: 'container' | 'pod'
  readonly numaNodes: readonly number[]
  readonly podUid: string
  readonly pod: { readonly initContainers: readonly Counts[]; readonly containers: readonly Counts[] }
  readonly devices: Readonly<Record<string, readonly DeviceRow[]>>
  readonly allocated: Readonly<Record<string, readonly { readonly pod: string; readonly container: string; readonly ids: readonly string[] }[]>>
  readonly expectedHints: Readonly<Record<string, readonly HintRow[] | null>>
}

interface AllocationCase {
  readonly name: string
  readonly request: number
  readonly devices: readonly DeviceRow[]
  readonly hint: HintRow
  readonly pluginPreferred: readonly string[] | null
  readonly expectedContains: readonly string[]
  readonly expectedPerNode: Counts
}

interface PreferenceCase {
  readonly name: string
  readonly request: number
  readonly devices: readonly DeviceRow[]
  readonly allocated: readonly string[]
  readonly reusable: readonly string[]
  readonly hint: HintRow
  readonly expectedAvailable: readonly string[]
  readonly expectedMustInclude: readonly string[]
  readonly expectedSize: number
}

export function checkDeviceManager(tally: Tally, table: unknown): void {
  const { hints = [], alignedAllocation = [], podDeviceRequest = [], preferredAllocationParameters = [] } = table as DeviceTable
  for (const row of hints) checkDeviceHints(tally, row)
  for (const row of alignedAllocation) checkAllocation(tally, row)
  for (const row of podDeviceRequest) {
    const amounts = podAmounts(row.pod.initContainers, row.pod.containers)
    const registered = Object.entries(amounts).filter(([name, amount]) => row.registered.includes(name) && amount > 0)
    tally.equal(`device-manager pod ${row.name}`, registered.sort(), Object.entries(row.expected).sort())
  }
  for (const row of preferredAllocationParameters) checkPreference(tally, row)
}

/** The container under test is the upstream tests' own name for the first one. */
const CONTAINER = 'fakeContainer'

function checkDeviceHints(tally: Tally, row: DeviceHintCase): void {
  const asked = row.scope === 'pod' ? podAmounts(row.pod.initContainers, row.pod.containers) : (row.pod.containers[0] ?? {})
  for (const [resource, expected] of Object.entries(row.expectedHints)) {
    const allocated = row.allocated[resource] ?? []
    const own = allocated.filter((entry) => entry.pod === row.podUid && (row.scope === 'pod' || entry.container === CONTAINER))
    const got = deviceHints(row.numaNodes, {
      count: asked[resource] ?? 0,
      devices: (row.devices[resource] ?? []).map(toDevice),
      taken: new Set(allocated.flatMap((entry) => entry.ids)),
      held: own.flatMap((entry) => entry.ids),
    })
    tally.equal(`device-manager hints ${row.name}: ${resource}`, hintSet(got?.map(hintRow) ?? null), hintSet(expected))
  }
}

function checkAllocation(tally: Tally, row: AllocationCase): void {
  const chosen = selectDevices({
    count: row.request,
    devices: row.devices.map(toDevice),
    taken: new Set(),
    reusable: [],
    nodes: row.hint.numa,
    prefer: row.pluginPreferred === null ? null : () => row.pluginPreferred ?? [],
  })
  const perNode = new Map<string, number>()
  for (const id of chosen ?? [])
    for (const node of row.devices.find((device) => device.id === id)?.numa ?? []) perNode.set(`${node}`, (perNode.get(`${node}`) ?? 0) + 1)
  const contains = row.expectedContains.every((id) => chosen?.includes(id) === true)
  const got = { size: new Set(chosen).size, contains, perNode: [...perNode].sort() }
  tally.equal(`device-manager allocation ${row.name}`, got, {
    size: row.request,
    contains: true,
    perNode: Object.entries(row.expectedPerNode).sort(),
  })
}

function checkPreference(tally: Tally, row: PreferenceCase): void {
  let asked: unknown = null
  selectDevices({
    count: row.request,
    devices: row.devices.map(toDevice),
    taken: new Set(row.allocated),
    reusable: row.reusable,
    nodes: row.hint.numa,
    prefer: (offered, mustInclude, size) => {
      asked = [[...offered].sort(), [...mustInclude].sort(), size]
      return []
    },
  })
  tally.equal(`device-manager preference ${row.name}`, asked, [
    [...row.expectedAvailable].sort(),
    [...row.expectedMustInclude].sort(),
    row.expectedSize,
  ])
}

function toDevice(row: DeviceRow): Device {
  return { id: row.id, nodes: row.numa }
}

function ids(text: string): readonly number[] {
  const list = parseIdList(text)
  if (list === null) throw new Error(`"${text}" is not a list of ids`)
  return list
}
