/** Golden machines: a packed sysfs each, with what other tools say about it. Facts marked as not asserted are left out. */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { createCopyReader } from '../../edge-agent/inventory/collect.ts'
import { parseIdList } from '../../edge-agent/inventory/id-list.ts'
import { INVENTORY } from '../../protocol/inventory.ts'
import type { Inventory, Topology } from '../../protocol/inventory.ts'
import { check, isRecord } from '../../protocol/shape.ts'
import { packedHost } from '../../test/fakes/host.ts'
import { Tally, differs } from './suite.ts'
import type { Suite } from './suite.ts'

export const suite: Suite = {
  name: 'boards',
  needs: ['boards'],
  async run(fixtures) {
    const tally = new Tally()
    for (const [folder, compare] of [
      ['', machineFacts],
      ['hostile', hostileFacts],
      ['accel', acceleratorFacts],
    ] as const) {
      const dir = path.join(fixtures, 'boards', folder)
      for (const name of namesIn(dir)) {
        await tally.attempt(path.join(folder, name), async () => {
          const inventory = await readCopy(path.join(dir, `${name}.tar.gz`))
          const want: unknown = JSON.parse(readFileSync(path.join(dir, `${name}.json`), 'utf8'))
          if (!isRecord(want)) return ['the expectation is not an object']
          const unsound = check(INVENTORY, inventory).map((issue) => `the inventory is not sound: ${issue.path} ${issue.message}`)
          return [...unsound, ...compare(want, inventory).filter((one) => one !== null)]
        })
      }
    }
    return tally.result()
  },
}

type Json = Readonly<Record<string, unknown>>
type Wrong = string | null

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).flatMap((name) => (name.endsWith('.tar.gz') ? [name.slice(0, -'.tar.gz'.length)] : []))
  } catch {
    return []
  }
}

async function readCopy(tarGz: string): Promise<Inventory> {
  const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
  const reader = await createCopyReader({ device: 'copy', agentVersion: '0', clock, engine: () => null }, packedHost(readFileSync(tarGz)))
  return (await reader.collect()).inventory
}

/** null and absent = not asserted */
function fact(name: string, want: unknown, got: unknown): Wrong {
  return want === null || want === undefined ? null : differs(name, want, got)
}

function machineFacts(want: Json, { topology }: Inventory): readonly Wrong[] {
  const { threads, cores, sockets, smtMax, onlineCpus, offlineCpus, numaSynthesized, pciDeviceCount } = topology
  const accepted = want['coresAccepted']
  const online = parseIdList(onlineCpus)?.length ?? 0
  const offline = parseIdList(offlineCpus ?? '')?.length ?? 0
  return [
    fact('threads', want['threads'], threads),
    Array.isArray(accepted)
      ? accepted.includes(cores)
        ? null
        : `cores wanted one of ${accepted.join(', ')} got ${cores}`
      : fact('cores', want['cores'], cores),
    fact('sockets', want['sockets'], sockets),
    fact('smtMax', want['smtMax'] ?? want['threadsPerCoreMax'], smtMax),
    fact('onlineCpus', want['onlineCpus'], onlineCpus),
    fact('offlineCpus', want['offlineCpus'], offlineCpus),
    fact('totalCpus', want['totalCpus'], online + offline),
    fact('numaSynthesized', want['numaSynthesized'], numaSynthesized),
    fact('numaNodeCount', want['numaNodeCount'], topology.numaNodes.length),
    deviceCount(want['pciDeviceCount'], pciDeviceCount),
    fact('cgroup', want['cgroup'], topology.cgroup),
    fact('allowed', want['allowed'], topology.allowed),
    ...nodeFacts(want, topology),
    ...pciFacts(want, topology),
    ...limitFacts(want, topology),
  ]
}

/** The oracle itself leaves out functions (32-bit domains, one of 137 on the Xeon Phi machine): ours are the folders of the bus. */
const ORACLE_LEAVES_OUT = 2

function deviceCount(want: unknown, got: number | undefined): Wrong {
  if (typeof want !== 'number') return null
  return got !== undefined && got >= want && got <= want + ORACLE_LEAVES_OUT ? null : `pciDeviceCount wanted ${want} got ${got}`
}

function nodeFacts(want: Json, { numaNodes }: Topology): readonly Wrong[] {
  const nodes = Array.isArray(want['numaNodes']) ? want['numaNodes'].filter(isRecord) : []
  if (nodes.length === 0) return []
  const wrong: Wrong[] = [
    fact(
      'ids of nodes',
      nodes.map((node) => node['id']),
      numaNodes.map((node) => node.id),
    ),
  ]
  for (const node of nodes) {
    const got = numaNodes.find((one) => one.id === node['id'])
    const at = `node ${String(node['id'])}`
    wrong.push(fact(`${at} cpus`, node['cpus'], got?.cpus), fact(`${at} memoryBytes`, node['memoryBytes'], got?.memoryBytes))
    wrong.push(fact(`${at} memoryOnly`, node['memoryOnly'], got?.memoryOnly))
    if (Array.isArray(node['distances']) && node['distances'].length > 0) wrong.push(fact(`${at} distances`, node['distances'], got?.distances))
    wrong.push(fact(`${at} hugepages`, node['hugepages'], got?.hugepages))
    if (node['subtype'] === 'GPUMemory') wrong.push(fact(`${at} gpuMemory`, true, got?.gpuMemory))
  }
  return wrong
}

function pciFacts(want: Json, topology: Topology): readonly Wrong[] {
  return (['pciGpus', 'pciAccelerators', 'pciNics'] as const).map((list) => {
    const wanted = want[list]
    if (!Array.isArray(wanted)) return null
    const place = (device: Json): Json => ({
      ...device,
      numaNode: device['numaNode'] ?? null,
      vendor: device['vendor'] ?? null,
      device: device['device'] ?? null,
    })
    const got = (topology[list] ?? []).map(({ driver: _driver, ...device }) => place(device))
    const rows = wanted.filter(isRecord).map(place)
    // the raw file is for information: compared where the expectation has it
    const raw = (row: Json): Json => ({
      ...row,
      ...(rows.find((one) => one['address'] === row['address'])?.['sysfsNumaNode'] === undefined ? { sysfsNumaNode: undefined } : {}),
    })
    return fact(list, sorted(rows), sorted(got.map(raw)))
  })
}

function sorted(rows: readonly Json[]): readonly Json[] {
  return rows.toSorted((a, b) => (String(a['address']) < String(b['address']) ? -1 : 1))
}

function limitFacts(want: Json, topology: Topology): readonly Wrong[] {
  const pids = isRecord(want['pids']) ? want['pids'] : {}
  const limits = isRecord(want['cgroupLimits']) ? want['cgroupLimits'] : {}
  const chain = Array.isArray(pids['chain'])
    ? pids['chain'].filter(isRecord).map((one) => ({ cgroup: one['cgroup'], pidsMax: one['pidsMax'] ?? null }))
    : null
  return [
    fact('pids.effectiveLimit', pids['effectiveLimit'], topology.pids?.effectiveLimit),
    fact(
      'pids.chain',
      chain,
      topology.pids?.chain?.map((one) => ({ cgroup: one.cgroup, pidsMax: one.pidsMax ?? null })),
    ),
    fact('cgroupLimits.pidsEffective', limits['pidsEffective'], topology.cgroupLimits?.pidsEffective),
    fact('cgroupLimits.memoryMaxEffective', limits['memoryMaxEffective'], topology.cgroupLimits?.memoryMaxEffective),
    fact('cgroupLimits.cpuQuotaEffective', limits['cpuQuotaEffective'], topology.cgroupLimits?.cpuQuotaEffective),
  ]
}

/** No crash, threads as given, each CPU in at most one node; and what the file says about nodes that are one. */
function hostileFacts(want: Json, { topology }: Inventory): readonly Wrong[] {
  const ids = topology.numaNodes.flatMap((node) => parseIdList(node.cpus) ?? [])
  const online = parseIdList(topology.onlineCpus) ?? []
  const only = want['physicalNumaNodes'] === 1 ? topology.numaNodes[0] : undefined
  return [
    fact('threads', want['threads'], topology.threads),
    new Set(ids).size === ids.length ? null : 'a CPU is in two nodes',
    ids.every((id) => online.includes(id)) ? null : 'a node has a CPU that is not online',
    fact('physicalNumaNodes', want['physicalNumaNodes'], topology.numaNodes.filter((node) => node.cpus !== '').length),
    fact('cpus', want['cpus'], only?.cpus),
    fact('memoryBytes', want['memoryBytes'], only?.memoryBytes),
  ]
}

/** Facts that say where they come from, not what they are. */
const IN_WORDS = ['note', 'detect', 'board', 'dedicatedMemoryBytes']

function acceleratorFacts(want: Json, { topology, os }: Inventory): readonly Wrong[] {
  const expected = isRecord(want['expected']) ? want['expected'] : {}
  const all: readonly Json[] = topology.accelerators ?? []
  const got = all.find((one) => one['kind'] === expected['kind'])
  if (got === undefined)
    return [`no accelerator of kind ${String(expected['kind'])}; found ${all.map((one) => String(one['kind'])).join(', ') || 'none'}`]
  const own = Object.hasOwn(expected, 'dedicatedMemoryBytes') && got['memoryBytes'] !== undefined && expected['dedicatedMemoryBytes'] === null
  return [
    ...Object.entries(expected).flatMap(([name, value]) => (IN_WORDS.includes(name) ? [] : [fact(name, value, got[name])])),
    fact('board', expected['board'], os?.board),
    own ? `memoryBytes wanted none got ${String(got['memoryBytes'])}` : null,
  ]
}
