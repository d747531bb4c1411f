/** What the inventory says of GPUs, NPUs, disks, networks and peripherals, on small copies of boards. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { meaningfullyChanged } from '../edge-agent/inventory/changed.ts'
import { createCopyReader, createInventoryReader } from '../edge-agent/inventory/collect.ts'
import { askNvidiaSmi, parseMigList, parseSmiRow } from '../edge-agent/inventory/nvidia-smi.ts'
import type { NvidiaSmi } from '../edge-agent/inventory/nvidia-smi.ts'
import { callsOfCopy } from '../edge-agent/inventory/probe-system.ts'
import type { SystemCalls } from '../edge-agent/inventory/probe-system.ts'
import { INVENTORY } from '../protocol/inventory.ts'
import type { Inventory } from '../protocol/inventory.ts'
import { check } from '../protocol/shape.ts'
import { fakeHost } from './fakes/host.ts'
import type { HostFiles } from './fakes/host.ts'

const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
const told = { device: 'gw-1', agentVersion: '0.1.0', clock, engine: () => null }

function board(name: string): { readonly files: HostFiles; readonly links: HostFiles } {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, 'fixtures/boards', `${name}.json`), 'utf8'))
}

async function readCopy(name: string, files: HostFiles = {}): Promise<Inventory> {
  const copy = board(name)
  const { inventory } = await (await createCopyReader(told, fakeHost({ ...copy.files, ...files }, [], copy.links))).collect()
  expect(check(INVENTORY, inventory)).toEqual([])
  return inventory
}

function withSmi(name: string, nvidiaSmi: NvidiaSmi) {
  const { files, links } = board(name)
  const reader = fakeHost(files, [], links)
  return createInventoryReader({ ...told, reader, calls: callsOfCopy(reader), arch: 'x64', nvidiaSmi })
}

const said = (inventory: Inventory): string => (inventory.findings ?? []).map((finding) => finding.what).join('\n')

describe('a server with GPUs on two NUMA nodes', () => {
  it('counts the GPUs that a driver runs, each on its node, without any tool', async () => {
    const { topology, capacity, ...rest } = await readCopy('gpu-server-2-nodes')
    expect(topology.pciGpus?.map((card) => [card.address, card.numaNode, card.sysfsNumaNode])).toEqual([
      ['0000:05:00.0', 0, 0],
      ['0000:3b:00.0', 0, 0],
      ['0000:86:00.0', 1, 1],
      // numa_node says -1, the CPUs next to it are all of node 1
      ['0000:af:00.0', 1, -1],
    ])
    expect(topology.accelerators?.map((one) => [one.id, one.kind, one.numaNode, one.resource])).toEqual([
      ['GPU-11111111-2222-3333-4444-555555555555', 'gpu', 0, 'nvidia.com/gpu'],
      // not used yet: the driver does not know its UUID, its place among the GPUs names it
      ['1', 'gpu', 1, 'nvidia.com/gpu'],
      ['2', 'gpu', 1, undefined],
      ['0000:5e:00.0', 'tpu', 1, 'coral.ai/edgetpu'],
    ])
    expect(topology.accelerators?.[0]).toMatchObject({ model: 'NVIDIA A100-PCIE-40GB', driverVersion: '535.161.08', deviceFiles: ['/dev/nvidia0'] })
    expect(capacity).toMatchObject({ 'nvidia.com/gpu': 2, 'coral.ai/edgetpu': 1, 'hugepages-2Mi': 512 * 2 ** 21, 'hugepages-1Gi': 2 * 2 ** 30 })
    expect(said({ topology, capacity, ...rest })).toContain('NVIDIA devices without a driver that containers can use: 0000:af:00.0 (driver vfio-pci)')
  })

  it('tells cores, packages and shared caches by their CPUs', async () => {
    const cache = (cpu: number, index: number, level: number, shared: string): HostFiles => ({
      [`/sys/devices/system/cpu/cpu${cpu}/cache/index${index}/level`]: String(level),
      [`/sys/devices/system/cpu/cpu${cpu}/cache/index${index}/shared_cpu_list`]: shared,
    })
    // a CPU whose neighbour has told already need not be read
    const caches = { ...cache(0, 0, 1, '0'), ...cache(0, 3, 3, '0-1'), ...cache(2, 3, 3, '2-3'), ...cache(4, 3, 3, '4-7') }
    const { topology } = await readCopy('gpu-server-2-nodes', caches)
    expect(topology).toMatchObject({ packageCpus: ['0-3', '4-7'], cacheCpus: ['0-1', '2-3', '4-7'] })
    expect(topology.coreCpus).toHaveLength(8)
    expect((await readCopy('gpu-server-2-nodes', cache(0, 3, 3, '0-1'))).topology.cacheCpus).toBeUndefined()
  })

  it('keeps memory that is set aside for huge pages out of what pods may take', async () => {
    const { capacity, allocatable } = await readCopy('gpu-server-2-nodes')
    const huge = 512 * 2 ** 21 + 2 * 2 ** 30
    expect(allocatable['memory']).toBe((capacity['memory'] ?? 0) - huge - 256 * 2 ** 20)
    expect(allocatable['hugepages-2Mi']).toBe(capacity['hugepages-2Mi'])
    // the limit of a group does not count huge pages
    const group = {
      '/proc/self/cgroup': '0::/box',
      '/proc/self/mounts': 'none /sys/fs/cgroup cgroup2 rw 0 0',
      '/sys/fs/cgroup/box/memory.max': String(2 ** 30),
    }
    expect((await readCopy('gpu-server-2-nodes', group)).allocatable['memory']).toBe(2 ** 30 - Math.floor(2 ** 30 / 10))
  })

  it('takes memory, UUIDs and MIG parts from nvidia-smi, asked once', async () => {
    const asked: string[] = []
    const reader = withSmi('gpu-server-2-nodes', async (args) => {
      asked.push(args[0] ?? '')
      if (args[0] === '-L') {
        return [
          'GPU 0: NVIDIA A100-PCIE-40GB (UUID: GPU-11111111-2222-3333-4444-555555555555)',
          '  MIG 1g.5gb     Device  0: (UUID: MIG-aaa)',
          '  MIG 3g.20gb     Device  1: (UUID: MIG-bbb)',
        ].join('\n')
      }
      return [
        '0, GPU-11111111-2222-3333-4444-555555555555, 00000000:3B:00.0, NVIDIA A100-PCIE-40GB, [N/A], 535.161.08, Enabled',
        '1, GPU-66666666-2222-3333-4444-555555555555, 00000000:86:00.0, NVIDIA A100-PCIE-40GB, 40960, 535.161.08, Disabled',
      ].join('\n')
    })
    const { inventory } = await reader.collect()
    await reader.collect()
    expect(asked).toEqual(['--query-gpu=index,uuid,pci.bus_id,name,memory.total,driver_version,mig.mode.current', '-L'])
    expect(inventory.topology.accelerators?.slice(0, 3)).toMatchObject([
      {
        id: 'MIG-aaa',
        kind: 'mig',
        parent: 'GPU-11111111-2222-3333-4444-555555555555',
        numaNode: 0,
        resource: 'nvidia.com/mig-1g.5gb',
        memoryBytes: 5 * 2 ** 30,
      },
      { id: 'MIG-bbb', resource: 'nvidia.com/mig-3g.20gb' },
      { id: 'GPU-66666666-2222-3333-4444-555555555555', memoryBytes: 40_960 * 2 ** 20, numaNode: 1 },
    ])
    expect(inventory.capacity).toMatchObject({ 'nvidia.com/gpu': 1, 'nvidia.com/mig-1g.5gb': 1, 'nvidia.com/mig-3g.20gb': 1 })
  })

  it('does without nvidia-smi when that fails, and says why', async () => {
    const { inventory } = await withSmi('gpu-server-2-nodes', () => Promise.reject(new Error('a GPU fell off the bus'))).collect()
    expect(inventory.capacity['nvidia.com/gpu']).toBe(2)
    expect(said(inventory)).toContain('nvidia-smi could not be read: a GPU fell off the bus')
  })
})

describe('a virtual machine with an H100 (captured; flags and all but one processor of cpuinfo cut)', () => {
  it('has its GPU without any tool, and says that its NUMA node lacks some of its memory', async () => {
    const inventory = await readCopy('vm-nvidia-h100')
    const { topology, capacity } = inventory
    expect(topology.accelerators).toMatchObject([
      {
        kind: 'gpu',
        model: 'NVIDIA H100 80GB HBM3',
        numaNode: 0,
        resource: 'nvidia.com/gpu',
        driverVersion: '580.159.04',
        deviceFiles: ['/dev/nvidia0'],
      },
    ])
    expect(topology.pciGpus).toMatchObject([{ address: '0000:00:06.0', numaNode: 0, sysfsNumaNode: -1 }])
    expect(capacity['nvidia.com/gpu']).toBe(1)
    expect(topology.numaNodes).toMatchObject([{ id: 0, cpus: '0-15', memoryBytes: 4_681_200 * 1024 }])
    expect(said(inventory)).toContain('the NUMA nodes hold 4.5 GiB together, /proc/meminfo says 125.9 GiB')
  })

  it('answers nvidia-smi as it did there', async () => {
    const row = '0, GPU-00000000-0000-0000-0000-000000000000, 00000000:00:06.0, NVIDIA H100 80GB HBM3, 81559, 580.159.04, Disabled'
    const { inventory } = await withSmi('vm-nvidia-h100', async () => `${row}\n`).collect()
    expect(inventory.topology.accelerators).toMatchObject([{ kind: 'gpu', memoryBytes: 81_559 * 2 ** 20, numaNode: 0 }])
  })
})

describe('the container engine', () => {
  const engine = { version: '25', apiVersion: '1.44', cgroup: '2', storageDriver: 'overlay2', runtimes: ['runc'], dataRoot: '/data/docker' }

  it('says where its images lie, and whether it can pass on a GPU', async () => {
    const { files, links } = board('gpu-server-2-nodes')
    const calls: SystemCalls = {
      ...callsOfCopy(fakeHost(files)),
      fileSystem: async (at) => (at === '/data/docker' ? { sizeBytes: 500, usedBytes: 100 } : { sizeBytes: 9, usedBytes: 1 }),
    }
    const read = (runtimes: readonly string[]) =>
      createInventoryReader({ ...told, engine: () => ({ ...engine, runtimes }), reader: fakeHost(files, [], links), calls, arch: 'x64' }).collect()
    const { inventory } = await read(['runc'])
    expect(inventory.capacity['ephemeral-storage']).toBe(500)
    expect(said(inventory)).toContain('the engine has no nvidia runtime')
    expect(said((await read(['nvidia', 'runc'])).inventory)).not.toContain('nvidia runtime')
    expect(check(INVENTORY, inventory)).toEqual([])
  })
})

describe('nvidia-smi', () => {
  it('is not asked where no driver is loaded', async () => {
    let asked = 0
    const { inventory } = await withSmi('orange-pi-5-plus-gateway', async () => String((asked += 1))).collect()
    expect(inventory.topology.threads).toBe(8)
    expect(asked).toBe(0)
  })

  it('may print anything', async () => {
    expect(parseSmiRow(['name', 'memory.total'], 'Orin (nvgpu), [N/A]')).toEqual({ name: 'Orin (nvgpu)', 'memory.total': null })
    expect(parseMigList('  MIG 1g.5gb Device 0: (UUID: MIG-x)')).toEqual([])
    for (const junk of ['', '\n\n', ', , , ,', 'No devices were found', '\0'.repeat(50)]) {
      await expect(askNvidiaSmi(async () => junk)).resolves.toBeDefined()
    }
  })
})

describe('a gateway with an RK3588', () => {
  it('has one NPU and one GPU, though each shows in several places', async () => {
    const { topology, capacity, labels } = await readCopy('orange-pi-5-plus-gateway')
    expect(topology.accelerators?.map((one) => [one.kind, one.resource, one.deviceFiles])).toEqual([
      ['npu', 'rockchip.com/npu', ['/dev/dri/renderD129']],
      ['integrated-gpu', 'skerry.dev/gpu', ['/dev/dri/renderD128']],
    ])
    expect(topology.accelerators?.[0]).toMatchObject({ freqMaxHz: 1_000_000_000, coreLoads: [10, 0, 2], loadPercent: 4, numaNode: 0 })
    expect(capacity).toMatchObject({
      'rockchip.com/npu': 1,
      'skerry.dev/gpu': 1,
      'skerry.dev/serial': 2,
      'skerry.dev/camera': 1,
      'skerry.dev/gpio': 2,
    })
    expect(labels).toMatchObject({ 'skerry.dev/profile': 'orange-pi-5', 'skerry.dev/soc': 'rk3588', 'kubernetes.io/arch': 'arm64' })
  })

  it('tells its fast cores from its slow ones', async () => {
    expect((await readCopy('orange-pi-5-plus-gateway')).topology.coreKinds).toEqual([
      { kind: 'performance', cpus: '4-7', capacity: 1024, maxMHz: 2400 },
      { kind: 'efficiency', cpus: '0-3', capacity: 414, maxMHz: 1800 },
    ])
  })

  it('knows its disks, their wear, and which link leads out', async () => {
    const inventory = await readCopy('orange-pi-5-plus-gateway')
    expect(inventory.disks).toEqual([
      { name: 'mmcblk0', kind: 'emmc', sizeBytes: 122_142_720 * 512, model: 'A3A561', lifeUsedPercent: 100, endOfLife: 'normal' },
      { name: 'nvme0n1', kind: 'nvme', sizeBytes: 500_118_192 * 512, model: 'WD SN740' },
    ])
    expect(said(inventory)).toContain('disk mmcblk0 has used up to 100 % of its rated life')
    expect(inventory.network?.map((one) => [one.name, one.class, one.up])).toEqual([
      ['eth0', 'ethernet', false],
      ['wlan0', 'wifi', true],
      ['wwan0', 'cellular', undefined],
    ])
    expect(inventory.networkClass).toBe('cellular')
  })

  it('leaves the console, codecs and second nodes of a camera alone', async () => {
    const { peripherals } = await readCopy('orange-pi-5-plus-gateway')
    expect(peripherals?.map((one) => one.file)).toEqual(['/dev/ttyS3', '/dev/ttyUSB0', '/dev/video11', '/dev/gpiochip0', '/dev/gpiochip1'])
  })

  it('without the driver of its NPU says what to install', async () => {
    const { files, links } = board('orange-pi-5-plus-gateway')
    const kept = Object.fromEntries(Object.entries(files).filter(([name]) => !/npu|card1/.test(name)))
    const { inventory } = await (
      await createCopyReader(told, fakeHost(kept, [], { ...links, '/sys/class/drm/card1/device/driver': 'x/none' }))
    ).collect()
    expect(said(inventory)).toContain('RK3588 NPU, 6 TOPS is on the board but the kernel does not show it: it needs the vendor kernel')
    expect(inventory.capacity['rockchip.com/npu']).toBeUndefined()
  })
})

describe('Intel graphics', () => {
  const card = (name: string, address: string, driver: string): { readonly files: HostFiles; readonly links: HostFiles } => ({
    files: {
      [`/sys/bus/pci/devices/${address}/class`]: '0x030000',
      [`/sys/bus/pci/devices/${address}/vendor`]: '0x8086',
      [`/sys/bus/pci/devices/${address}/device`]: '0x4571',
      [`/sys/bus/pci/devices/${address}/drm/render${name}/dev`]: '226:1',
    },
    links: {
      [`/sys/bus/pci/devices/${address}/driver`]: `../../../bus/pci/drivers/${driver}`,
      [`/sys/class/drm/card${name.slice(1)}/device`]: `../../../bus/pci/devices/${address}`,
    },
  })

  it('in the processor shares its memory, on a card it does not', async () => {
    const [inside, outside] = [card('D128', '0000:00:02.0', 'i915'), card('D129', '0000:03:00.0', 'xe')]
    const host = fakeHost({ ...inside.files, ...outside.files, '/sys/devices/system/cpu/online': '0-3' }, [], { ...inside.links, ...outside.links })
    const { topology, capacity } = (await (await createCopyReader(told, host)).collect()).inventory
    expect(topology.accelerators?.map((one) => [one.id, one.kind, one.sharesSystemMemory, one.numaNode, one.deviceFiles])).toEqual([
      ['0000:00:02.0', 'integrated-gpu', true, 0, ['/dev/dri/renderD128']],
      ['0000:03:00.0', 'gpu', undefined, 0, ['/dev/dri/renderD129']],
    ])
    expect(capacity).toMatchObject({ 'gpu.intel.com/i915': 1, 'gpu.intel.com/xe': 1 })
  })
})

describe('a Jetson', () => {
  it('has a GPU that is not on the bus and shares the memory', async () => {
    const { topology, capacity, labels } = await readCopy('jetson-orin-nano')
    expect(topology.accelerators).toEqual([
      {
        id: 'gpu.0',
        kind: 'integrated-gpu',
        vendor: 'nvidia',
        device: 'tegra234',
        driver: 'nvgpu',
        sharesSystemMemory: true,
        resource: 'nvidia.com/gpu',
        loadPercent: 41,
        temperatureC: 47,
        numaNode: 0,
      },
    ])
    expect(capacity).toMatchObject({ 'nvidia.com/gpu': 1, memory: 7_802_000 * 1024 })
    expect(labels).toMatchObject({ 'skerry.dev/profile': 'jetson-orin-nano', 'skerry.dev/module': 'p3767-0005' })
  })
})

describe('a copy of another machine', () => {
  it('holds nothing of this one', async () => {
    const empty = await (await createCopyReader(told, fakeHost({}))).collect()
    expect(empty.hostIp).toBeNull()
    expect(empty.inventory).toMatchObject({ os: { arch: 'unknown' }, addresses: [], fileSystems: [], disks: [], network: [] })
    expect(empty.inventory.memory).toBeUndefined()
    expect(Object.keys(empty.inventory.capacity)).toEqual(['cpu', 'pods'])
  })
})

describe('what is worth telling the cloud', () => {
  it('is a device that came or went, not its load', async () => {
    const before = await readCopy('jetson-orin-nano')
    const busy = await readCopy('jetson-orin-nano', { '/sys/devices/platform/gpu.0/load': '999', '/sys/class/thermal/thermal_zone1/temp': '80000' })
    expect(busy.topology.accelerators).not.toEqual(before.topology.accelerators)
    expect(meaningfullyChanged(before, busy)).toBe(false)
    expect(meaningfullyChanged(before, { ...before, topology: { ...before.topology, accelerators: [] } })).toBe(true)
    expect(meaningfullyChanged(before, { ...before, networkClass: 'cellular' })).toBe(true)
  })

  it.each([
    [
      'free memory',
      0.1,
      (inventory: Inventory, share: number) => ({ ...inventory, memory: { totalBytes: 1000, availableBytes: 500 + share * 1000 } }),
    ],
    ['used PIDs', 0.1, (inventory: Inventory, share: number) => ({ ...inventory, pids: { capacity: 1000, used: 500 + share * 1000 } })],
    [
      'a filled disk',
      0.05,
      (inventory: Inventory, share: number) => ({ ...inventory, fileSystems: [{ mount: '/', sizeBytes: 1000, usedBytes: 500 + share * 1000 }] }),
    ],
  ])('is %s that moved by more than %f of the whole', async (_what, threshold, at) => {
    const base = await readCopy('jetson-orin-nano')
    expect(meaningfullyChanged(at(base, 0), at(base, threshold))).toBe(false)
    expect(meaningfullyChanged(at(base, 0), at(base, -threshold))).toBe(false)
    expect(meaningfullyChanged(at(base, 0), at(base, threshold + 0.01))).toBe(true)
    expect(meaningfullyChanged(at(base, 0), at(base, -threshold - 0.01))).toBe(true)
  })
})
