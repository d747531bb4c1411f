import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PROFILES } from '../device-profiles/catalogue.ts'
import { matchProfile } from '../device-profiles/match.ts'
import { DEVICE_PROFILE } from '../device-profiles/schema.ts'
import { meaningfullyChanged } from '../edge-agent/inventory/changed.ts'
import { createInventoryReader } from '../edge-agent/inventory/collect.ts'
import { createHostReader } from '../edge-agent/inventory/host-reader.ts'
import { formatIdList, parseIdList, parseIdMask } from '../edge-agent/inventory/id-list.ts'
import { printInventory } from '../edge-agent/inventory/print-inventory.ts'
import type { SystemCalls } from '../edge-agent/inventory/probe-system.ts'
import { INVENTORY } from '../protocol/inventory.ts'
import { LIMITS } from '../protocol/limits.ts'
import { check } from '../protocol/shape.ts'
import { fakeHost } from './fakes/host.ts'
import type { HostFiles } from './fakes/host.ts'

const GIB = 2 ** 30
const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
const calls: SystemCalls = {
  memory: async () => ({ totalBytes: 4 * GIB, availableBytes: 3 * GIB, swapBytes: 0 }),
  fileSystem: async (at) => {
    if (at === '/var/lib/docker') throw new Error('ENOENT')
    return { sizeBytes: 32 * GIB, usedBytes: 8 * GIB }
  },
  addresses: () => [
    { interface: 'docker0', address: '172.17.0.1' },
    { interface: 'eth0', address: '192.168.1.7' },
    { interface: 'wlan0', address: '10.0.0.9' },
  ],
}

function board(name: string): HostFiles {
  const files: HostFiles = JSON.parse(readFileSync(path.join(import.meta.dirname, 'fixtures/boards', `${name}.json`), 'utf8'))
  return files
}
const profileOf = (arch: string, compatible: readonly string[]) => matchProfile(PROFILES, { arch, compatible, product: null })?.name ?? null
const collect = (files: HostFiles, arch = 'x64', systemCalls = calls) =>
  createInventoryReader({
    device: 'gw-1',
    agentVersion: '0.1.0',
    clock,
    engine: () => null,
    reader: fakeHost(files),
    calls: systemCalls,
    arch,
  }).collect()

describe('a Raspberry Pi 4 with fake NUMA', () => {
  it('is one node with all memory, has its profile and says so', async () => {
    const { inventory, hostIp } = await collect(board('raspberry-pi-4-fake-numa'), 'arm64')
    expect(check(INVENTORY, inventory)).toEqual([])
    expect(inventory.topology).toMatchObject({
      threads: 4,
      cores: 4,
      sockets: 1,
      onlineCpus: '0-3',
      numaNodes: [{ id: 0, cpus: '0-3', memoryBytes: 4_000_000 * 1024 }],
      distances: [[10]],
    })
    expect(inventory.findings?.map((finding) => finding.what).join('\n')).toContain('taken for one')
    expect(inventory.labels).toMatchObject({ 'skerry.dev/profile': 'raspberry-pi-4', 'kubernetes.io/arch': 'arm64' })
    const name = 'Debian GNU/Linux 12 (bookworm)'
    expect(inventory.os).toEqual({ arch: 'arm64', name, kernel: '6.6.31+rpt-rpi-v8', hostname: 'pi', board: 'Raspberry Pi 4 Model B Rev 1.4' })
    expect(inventory.pids).toEqual({ capacity: 32_768, used: 187, limitedBy: '/proc/sys/kernel/pid_max' })
    // local ones only: the network file system is not asked
    expect(inventory.fileSystems?.map((one) => one.mount)).toEqual(['/', '/boot'])
    expect(hostIp).toBe('10.0.0.9')
  })

  it('keeps something for the system', async () => {
    const { inventory } = await collect(board('raspberry-pi-4-fake-numa'), 'arm64')
    const pods = LIMITS.podsPerDevice.value
    expect(inventory.capacity).toEqual({ cpu: 4000, memory: 4 * GIB, pids: 32_768, 'ephemeral-storage': 32 * GIB, pods })
    expect(inventory.allocatable).toEqual({ cpu: 3900, memory: 4 * GIB - GIB / 4, pids: 31_768, 'ephemeral-storage': 31 * GIB, pods })
  })

  it('prints as a table', async () => {
    const text = printInventory((await collect(board('raspberry-pi-4-fake-numa'), 'arm64')).inventory)
    expect(text).toMatch(/^board +Raspberry Pi 4 Model B Rev 1\.4$/m)
    expect(text).toMatch(/^cpus +4 threads, 4 cores, 1 sockets +\/sys\/devices\/system\/cpu/m)
  })
})

describe('a server with two sockets', () => {
  it('keeps sparse ids, the memory-only node and its place in the distances', async () => {
    const { topology } = (await collect(board('server-2-sockets-memory-only'))).inventory
    expect(topology).toMatchObject({
      threads: 7,
      cores: 4,
      sockets: 2,
      onlineCpus: '0-6',
      offlineCpus: '7',
      numaNodes: [
        { id: 0, cpus: '0-3', memoryBytes: 8_000_000 * 1024, hugepages: { 2097152: 16 } },
        { id: 2, cpus: '4-6', memoryBytes: 8_000_000 * 1024, hugepages: { 2097152: 0 } },
        { id: 4, cpus: '', memoryBytes: 16_000_000 * 1024, hugepages: { 2097152: 0 }, memoryOnly: true },
      ],
      distances: [
        [10, 21, 17],
        [21, 10, 28],
        [17, 28, 10],
      ],
    })
  })

  it('without a sound matrix has no distances, and says so', async () => {
    const { inventory } = await collect({ ...board('server-2-sockets-memory-only'), '/sys/devices/system/node/node2/distance': '21 10' })
    expect(inventory.topology.distances).toBeUndefined()
    expect(inventory.findings?.some((finding) => finding.what.includes('matrix'))).toBe(true)
  })
})

describe('limits of control groups', () => {
  it('of the second version count from the tightest above', async () => {
    const { inventory } = await collect(board('system-container-limits'))
    expect(inventory.pids).toEqual({ capacity: 500, used: 42, limitedBy: '/sys/fs/cgroup/lxc/box/pids.max' })
    expect(inventory.memory?.limitBytes).toBe(GIB)
    expect(inventory.topology.allowedCpus).toBe('1,3')
    expect(inventory.topology).toMatchObject({ numaSynthesized: true, numaNodes: [{ id: 0, cpus: '0-3', memoryBytes: 4 * GIB }] })
    expect(inventory.capacity).toMatchObject({ cpu: 1500, memory: GIB, pids: 500 })
  })

  it("of the agent's own service do not bind the containers beside it", async () => {
    const unit = '/sys/fs/cgroup/system.slice/skerry-agent.service'
    const limits = { [`${unit}/pids.max`]: '4915', [`${unit}/memory.max`]: '67108864', '/sys/fs/cgroup/system.slice/pids.max': '30000' }
    const { inventory } = await collect({ ...board('raspberry-pi-4-fake-numa'), ...limits }, 'arm64')
    expect(inventory.capacity).toMatchObject({ pids: 30_000, memory: 4 * GIB })
  })

  it('of the first version count where both are mounted', async () => {
    const { inventory } = await collect(board('cgroup-hybrid'))
    expect(inventory.pids?.capacity).toBe(256)
    expect(inventory.memory?.limitBytes).toBe(536_870_912)
    expect(inventory.capacity['cpu']).toBe(2000)
  })
})

describe('a host that cannot be read', () => {
  const failing: SystemCalls = {
    memory: () => Promise.reject(new Error('EIO')),
    fileSystem: () => Promise.reject(new Error('EIO')),
    addresses: () => {
      throw new Error('EIO')
    },
  }
  it('gives an inventory that says what is missing and guesses nothing', async () => {
    const { inventory, hostIp } = await collect({}, 'x64', failing)
    expect(check(INVENTORY, inventory)).toEqual([])
    expect(inventory.capacity).toEqual({ cpu: 1000, pods: LIMITS.podsPerDevice.value })
    expect(inventory.findings?.map((finding) => finding.what).join('\n')).toMatch(/no CPU[^]*EIO/)
    expect(hostIp).toBeNull()
  })

  it('or whose every file is garbage still gives a sound inventory', async () => {
    const files = { ...board('server-2-sockets-memory-only'), ...board('raspberry-pi-4-fake-numa'), ...board('system-container-limits') }
    const numbers = fc.constantFrom('', '-1', '0-', '0-999999', '4294967296', 'ffffffff,ffffffff', '1 2 3', 'max', '__proto__', '9'.repeat(40))
    const garbage = fc.oneof(fc.string(), numbers)
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...Object.keys(files)), garbage, { maxKeys: 60 }), async (damage) => {
        const { inventory } = await collect({ ...files, ...damage })
        expect(check(INVENTORY, inventory)).toEqual([])
      }),
      { numRuns: 300, seed: 20_26 },
    )
  })
})

describe('news', () => {
  it('is what changed for good, or moved far', async () => {
    const { inventory } = await collect(board('raspberry-pi-4-fake-numa'), 'arm64')
    const memory = (availableBytes: number) => ({ ...inventory, at: 'later', memory: { totalBytes: 4 * GIB, availableBytes, swapBytes: 0 } })
    expect(meaningfullyChanged(null, inventory)).toBe(true)
    expect(meaningfullyChanged(inventory, { ...inventory, at: 'later' })).toBe(false)
    expect(meaningfullyChanged(inventory, memory(2.9 * GIB))).toBe(false)
    expect(meaningfullyChanged(inventory, memory(2 * GIB))).toBe(true)
    expect(meaningfullyChanged(inventory, { ...inventory, topology: { ...inventory.topology, threads: 3 } })).toBe(true)
    expect(meaningfullyChanged(inventory, { ...inventory, fileSystems: inventory.fileSystems?.slice(1) ?? [] })).toBe(true)
  })
})

describe('the catalogue of profiles', () => {
  it('is sound and every profile can be matched', () => {
    for (const profile of PROFILES) expect(check(DEVICE_PROFILE, profile), profile.name).toEqual([])
    expect(new Set(PROFILES.map((profile) => profile.name)).size).toBe(PROFILES.length)
  })
  it('prefers the board over the architecture and knows when it knows nothing', () => {
    expect(profileOf('arm64', ['raspberrypi,4-model-b', 'brcm,bcm2711'])).toBe('raspberry-pi-4')
    expect(profileOf('arm64', ['radxa,rock-5b', 'rockchip,rk3588'])).toBe('rockchip-rk3588')
    expect(profileOf('arm64', ['some,board', 'some,chip'])).toBe('generic-arm64')
    expect(profileOf('amd64', [])).toBe('generic-x86-64')
    expect(profileOf('s390x', [])).toBeNull()
  })
})

describe('lists of ids', () => {
  it('are read and written as Linux does', () => {
    expect(parseIdList('0-3,8,10-11\n')).toEqual([0, 1, 2, 3, 8, 10, 11])
    expect(parseIdList('')).toEqual([])
    for (const bad of ['x', '3-1', '1-', '-1', '0-99999999', '1;2']) expect(parseIdList(bad), bad).toBeNull()
    expect(parseIdMask('1,80000000')).toEqual([31, 32])
    expect(parseIdMask('xyz')).toBeNull()
    expect(formatIdList([0, 1, 2, 3, 8])).toBe('0-3,8')
  })
})

describe('the host reader', () => {
  it('strips NULs, stops at its cap and takes what is missing for null', async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'skerry-host-'))
    try {
      await mkdir(path.join(root, 'sys'))
      await writeFile(path.join(root, 'sys/list'), '31\n\0\0\0')
      await writeFile(path.join(root, 'sys/compatible'), 'a,b\0c\0')
      await writeFile(path.join(root, 'sys/huge'), Buffer.alloc(LIMITS.hostFileBytes.value + 5, 'x'))
      const reader = createHostReader(root)
      expect(await reader.read('/sys/list')).toBe('31')
      expect(await reader.read('/sys/compatible')).toBe('a,b\nc')
      expect((await reader.read('/sys/huge'))?.length).toBe(LIMITS.hostFileBytes.value)
      expect([await reader.read('/nothing'), await reader.read('/sys'), await reader.link('/sys/list')]).toEqual([null, null, null])
      expect(await reader.list('/nothing')).toEqual([])
    } finally {
      await rm(root, { recursive: true })
    }
  })
})
