/**
 * The topology reader against the golden machines: small copies of sysfs with what other tools say about them. They lie
 * outside the repository (SKERRY_FIXTURES, default ../shared/fixtures); without them this suite says that it did not run.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Evidence } from '../edge-agent/inventory/findings.ts'
import { formatIdList, parseIdList } from '../edge-agent/inventory/id-list.ts'
import { probeCgroup } from '../edge-agent/inventory/probe-cgroup.ts'
import { probeCpu } from '../edge-agent/inventory/probe-cpu.ts'
import { probeNuma } from '../edge-agent/inventory/probe-numa.ts'
import { isRecord } from '../protocol/shape.ts'
import { packedHost } from './fakes/host.ts'

const boards = path.join(process.env['SKERRY_FIXTURES'] ?? path.join(import.meta.dirname, '../../shared/fixtures'), 'boards')
const present = existsSync(boards)
if (!present) console.warn(`golden machines: NOT RUN: no folder ${boards} (set SKERRY_FIXTURES)`)

function namesIn(folder: string): readonly string[] {
  return present
    ? readdirSync(path.join(boards, folder))
        .filter((name) => name.endsWith('.tar.gz'))
        .map((name) => path.join(folder, name.slice(0, -7)))
    : []
}

type Json = Readonly<Record<string, unknown>>

async function read(name: string) {
  const want: unknown = JSON.parse(readFileSync(path.join(boards, `${name}.json`), 'utf8'))
  if (!isRecord(want)) throw new Error(`${name}.json is not an object`)
  const reader = packedHost(readFileSync(path.join(boards, `${name}.tar.gz`)))
  const evidence = new Evidence()
  const cpu = await probeCpu(reader, evidence)
  const kib = /MemTotal:\s*(\d+)/.exec((await reader.read('/proc/meminfo')) ?? '')?.[1]
  const numa = cpu === null ? null : await probeNuma(reader, cpu.online, kib === undefined ? null : Number(kib) * 1024, evidence)
  return { want, cpu, numa, cgroup: await probeCgroup(reader, evidence), evidence }
}

/** the same facts from the expectation and from us, only those that the expectation asserts */
function compare(want: Json, got: Awaited<ReturnType<typeof read>>): { readonly want: Json; readonly got: Json } {
  const sides: { want: Record<string, unknown>; got: Record<string, unknown> } = { want: {}, got: {} }
  const fact = (name: string, wanted: unknown, found: unknown): void => {
    if (wanted === undefined || wanted === null) return
    sides.want[name] = wanted
    sides.got[name] = found
  }
  const nodes = Array.isArray(want['numaNodes']) ? want['numaNodes'].filter(isRecord) : null
  fact('threads', want['threads'], got.cpu?.online.length)
  fact('onlineCpus', want['onlineCpus'], formatIdList(got.cpu?.online ?? []))
  fact('offlineCpus', want['offlineCpus'], formatIdList(got.cpu?.offline ?? []))
  fact('cores', want['cores'], got.cpu?.cores)
  fact('sockets', want['sockets'], got.cpu?.sockets)
  fact('numaSynthesized', want['numaSynthesized'], got.numa?.synthesized)
  fact('numaNodeCount', want['numaNodeCount'], got.numa?.nodes.length)
  fact(
    'nodes',
    nodes?.map((node) => ({ id: node['id'], cpus: node['cpus'] })),
    got.numa?.nodes.map(({ id, cpus }) => ({ id, cpus })),
  )
  nodes?.forEach((node, row) => {
    const found = got.numa?.nodes[row]
    fact(`memory of node ${row}`, node['memoryBytes'], found?.memoryBytes)
    const distances = Array.isArray(node['distances']) && node['distances'].length > 0 ? node['distances'] : null
    fact(`distances of node ${row}`, distances, got.numa?.distances?.[row])
    if (node['memoryOnly'] === true) fact(`node ${row} is memory only`, true, found?.memoryOnly)
    if (isRecord(node['hugepages']) && got.numa?.synthesized === false) {
      const inBytes = Object.entries(found?.hugepages ?? {}).map(([kib, count]) => [String(Number(kib) * 1024), count])
      fact(`hugepages of node ${row}`, node['hugepages'], Object.fromEntries(inBytes))
    }
  })
  const allowed = (got.cgroup.cpus ?? []).filter((cpu) => got.cpu?.online.includes(cpu) === true)
  if (isRecord(want['allowed'])) fact('allowed cpus', want['allowed']['cpus'], formatIdList(allowed))
  if (isRecord(want['pids'])) fact('pids limit', want['pids']['effectiveLimit'], got.cgroup.pidsMax)
  if (isRecord(want['cgroupLimits'])) {
    fact('memory limit', want['cgroupLimits']['memoryMaxEffective'], got.cgroup.memoryMaxBytes)
    const quota = want['cgroupLimits']['cpuQuotaEffective']
    fact('cpu quota', typeof quota === 'number' ? quota * 1000 : null, got.cgroup.cpuQuotaMilli)
  }
  return sides
}

describe.skipIf(!present)('the golden machine', () => {
  it.each(namesIn(''))('%s reads as others read it', async (name) => {
    const got = await read(name)
    const sides = compare(got.want, got)
    expect(sides.got).toEqual(sides.want)
    const accepted = got.want['coresAccepted']
    if (Array.isArray(accepted)) expect(accepted).toContain(got.cpu?.cores)
  })

  it.each(namesIn('hostile'))('%s invents nothing', async (name) => {
    const { want, cpu, numa } = await read(name)
    expect(cpu?.online.length).toBe(want['threads'])
    const ids = numa?.nodes.flatMap((node) => parseIdList(node.cpus) ?? []) ?? []
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(cpu?.online).toContain(id)
    if (want['physicalNumaNodes'] === 1)
      expect(numa?.nodes).toEqual([expect.objectContaining({ cpus: want['cpus'], memoryBytes: want['memoryBytes'] })])
  })
})
