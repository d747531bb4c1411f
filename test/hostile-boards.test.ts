/** Boards whose files lie, loop, overflow or are no text: each still gives a sound inventory, at once. */
import { describe, expect, it } from 'vitest'
import { nodeTopology } from '../cloud/core/scheduler/numa/node-topology.ts'
import { createCopyReader } from '../edge-agent/inventory/collect.ts'
import { INVENTORY } from '../protocol/inventory.ts'
import type { Inventory } from '../protocol/inventory.ts'
import { check } from '../protocol/shape.ts'
import { topologyFacts } from '../protocol/topology-facts.ts'
import { PICTURE_VIEWS, topologyPicture } from '../protocol/topology-picture.ts'
import { topologyTwin } from '../protocol/topology-twin.ts'
import { fakeHost } from './fakes/host.ts'

type Files = Readonly<Record<string, string>>

const CPU = '/sys/devices/system/cpu'
const NODE = '/sys/devices/system/node'
const JUNK = Array.from({ length: 4_096 }, (_, at) => String.fromCharCode((at * 31) % 256)).join('')
const LONG_LIST = Array.from({ length: 60_000 }, (_, at) => String(at * 2)).join(',')

/** A sound machine of two nodes with four CPUs. */
const SOUND: Files = {
  [`${CPU}/online`]: '0-3\n',
  [`${CPU}/present`]: '0-3\n',
  ...Object.fromEntries([0, 1, 2, 3].flatMap((cpu) => [[`${CPU}/cpu${cpu}/topology/thread_siblings_list`, `${cpu}\n`]])),
  [`${NODE}/online`]: '0-1\n',
  ...Object.fromEntries(
    [0, 1].flatMap((node) => [
      [`${NODE}/node${node}/cpulist`, `${2 * node}-${2 * node + 1}\n`],
      [`${NODE}/node${node}/distance`, node === 0 ? '10 21\n' : '21 10\n'],
      [`${NODE}/node${node}/meminfo`, `Node ${node} MemTotal: 4194304 kB\n`],
    ]),
  ),
  '/proc/meminfo': 'MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n',
  '/proc/sys/kernel/pid_max': '32768\n',
  '/proc/self/cgroup': '0::/a\n',
  '/proc/self/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  '/sys/fs/cgroup/a/pids.max': '500\n',
}

const HOSTILE: Readonly<Record<string, Files>> = {
  'nothing but empty files': Object.fromEntries(Object.keys(SOUND).map((file) => [file, ''])),
  'nothing but binary junk': Object.fromEntries(Object.keys(SOUND).map((file) => [file, JUNK])),
  'nothing but NUL bytes': Object.fromEntries(Object.keys(SOUND).map((file) => [file, '\0'.repeat(4_096)])),
  'distances of another size, that go in a circle and below zero': {
    [`${NODE}/node0/distance`]: '10 21 31 41 51\n',
    [`${NODE}/node1/distance`]: '-5 0\n',
  },
  'a distance that no number holds': { [`${NODE}/node0/distance`]: '10 99999999999999999999999\n' },
  'CPU lists of sixty thousand numbers': { [`${CPU}/online`]: LONG_LIST, [`${NODE}/node0/cpulist`]: LONG_LIST },
  'a range to four thousand million': { [`${CPU}/online`]: '0-4000000000\n', [`${NODE}/node1/cpulist`]: '0-4000000000\n' },
  'a range that runs backwards': { [`${CPU}/online`]: '3-0\n', [`${NODE}/node0/cpulist`]: '1-0\n' },
  'nodes that share CPUs': { [`${NODE}/node0/cpulist`]: '0-2\n', [`${NODE}/node1/cpulist`]: '1-3\n' },
  'a node that is online and has no folder': { [`${NODE}/online`]: '0-1,7,1000\n' },
  'sixty-five thousand nodes': { [`${NODE}/online`]: '0-65535\n' },
  'siblings that contradict each other': {
    [`${CPU}/cpu0/topology/thread_siblings_list`]: '0-1\n',
    [`${CPU}/cpu1/topology/thread_siblings_list`]: '1-2\n',
    [`${CPU}/cpu2/topology/thread_siblings_list`]: '2,0\n',
  },
  'memory beyond any machine': {
    [`${NODE}/node0/meminfo`]: 'Node 0 MemTotal: 99999999999999999999 kB\n',
    '/proc/meminfo': `MemTotal: ${'9'.repeat(400)} kB\n`,
  },
  'a control group that climbs out of its mount': { '/proc/self/cgroup': '0::/../../../../etc\n', '/sys/fs/cgroup/etc/pids.max': '1\n' },
  'a control group a thousand folders deep': { '/proc/self/cgroup': `0::${'/x'.repeat(1_000)}\n` },
  'limits that are no numbers': { '/sys/fs/cgroup/a/pids.max': '-1\n', '/proc/sys/kernel/pid_max': '1e9\n', '/sys/fs/cgroup/a/cpu.max': '0 0\n' },
  'a PCI bus of broken functions': {
    '/sys/bus/pci/devices/0000:01:00.0/class': '0x030000\n',
    '/sys/bus/pci/devices/0000:01:00.0/numa_node': '99999\n',
    '/sys/bus/pci/devices/0000:01:00.0/vendor': JUNK,
    '/sys/bus/pci/devices/../../etc/class': '0x030000\n',
    [`/sys/bus/pci/devices/${'a'.repeat(200)}/class`]: '0x020000\n',
  },
}

async function read(files: Files): Promise<Inventory> {
  const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
  const reader = await createCopyReader({ device: 'copy', agentVersion: '0', clock, engine: () => null }, fakeHost(files))
  return (await reader.collect()).inventory
}

describe('hostile boards', () => {
  it('the board that they are made from is read as it is', async () => {
    const { topology } = await read(SOUND)
    expect(topology.numaNodes.map(({ id, cpus }) => [id, cpus])).toEqual([
      [0, '0-1'],
      [1, '2-3'],
    ])
  })

  it.each(Object.entries(HOSTILE))('%s', async (name, files) => {
    const inventory = await read(name.startsWith('nothing but') ? files : { ...SOUND, ...files })
    expect(check(INVENTORY, inventory)).toEqual([])
    // what the cloud and both pages make of it
    expect(nodeTopology(inventory.topology).usableCpus.length).toBeLessThanOrEqual(65_536)
    const facts = topologyFacts(inventory.topology, inventory.allocatable['cpu'] ?? null, [])
    for (const [view] of PICTURE_VIEWS) expect([topologyPicture(facts, view), topologyTwin(facts, view)]).toBeDefined()
  })
})
