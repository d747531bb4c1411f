/** A captured board reads as the board itself, leads nowhere else, and does not name its owner. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCopyReader } from '../edge-agent/inventory/collect.ts'
import { createHostReader } from '../edge-agent/inventory/host-reader.ts'
import type { HostReader } from '../edge-agent/ports.ts'
import { recordMachine } from '../scripts/capture/recorder.ts'
import { toTar } from '../scripts/capture/tar.ts'
import { packedHost } from './fakes/host.ts'
import type { HostFiles } from './fakes/host.ts'

const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
const inventoryOf = async (reader: HostReader) =>
  (await (await createCopyReader({ device: 'x', agentVersion: '0', clock, engine: () => null }, reader)).collect()).inventory

let root = ''
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'skerry-board-'))
})
afterEach(() => rm(root, { recursive: true }))

async function build(files: HostFiles, links: HostFiles): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true })
    await writeFile(path.join(root, name), `${text}\n`)
  }
  for (const [name, target] of Object.entries(links)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true })
    await symlink(target, path.join(root, name))
  }
}

async function buildGpuServer(): Promise<void> {
  const { files, links } = JSON.parse(await readFile(path.join(import.meta.dirname, 'fixtures/boards/gpu-server-2-nodes.json'), 'utf8'))
  await build(files, links)
}

describe('a capture', () => {
  it('reads as the machine it was taken of', async () => {
    await buildGpuServer()
    const copy = await recordMachine(root)
    const { accelerators, ...rest } = (await inventoryOf(packedHost(gzipSync(toTar(copy))))).topology
    const { accelerators: before = [], ...all } = (await inventoryOf(createHostReader(root))).topology
    expect(rest).toEqual(all)
    // GPU UUIDs name one card in the world
    expect(accelerators?.map(({ id: _id, ...one }) => one)).toEqual(before.map(({ id: _id, ...one }) => one))
    expect(JSON.stringify(copy)).not.toContain('11111111-2222')
  })

  it('follows links into the folder they lead to, so that a path is a link or a folder', async () => {
    await build(
      {
        '/sys/devices/pci0000:00/0000:00:0b.0/vendor': '0x8086',
        '/sys/devices/pci0000:00/0000:00:0b.0/device': '0x7d1d',
        '/proc/meminfo': 'MemTotal: 1000 kB',
      },
      {
        '/sys/devices/pci0000:00/0000:00:0b.0/accel/accel0/device': '../../../0000:00:0b.0',
        '/sys/class/accel/accel0': '../../devices/pci0000:00/0000:00:0b.0/accel/accel0',
      },
    )
    const copy = await recordMachine(root)
    expect(copy.links['/sys/class/accel/accel0/device']).toBe('/sys/devices/pci0000:00/0000:00:0b.0')
    expect((await inventoryOf(packedHost(gzipSync(toTar(copy))))).topology.accelerators).toMatchObject([
      { kind: 'npu', vendor: '8086', device: '7d1d', address: '0000:00:0b.0', deviceFiles: ['/dev/accel/accel0'] },
    ])
  })

  it('leaves out who and where the machine is', async () => {
    const secrets = {
      '/etc/machine-id': '0123456789abcdef0123456789abcdef',
      '/proc/sys/kernel/hostname': 'till-17',
      '/proc/cmdline': 'root=x password=hunter2 numa=fake=8',
    }
    await build(
      {
        ...secrets,
        '/sys/devices/system/cpu/online': '0',
        '/sys/devices/system/node/node0/cpulist': '0',
        '/proc/sys/kernel/random/boot_id': 'aaaa-bbbb',
        '/proc/cpuinfo': 'processor\t: 0\nSerial\t\t: 10000000deadbeef\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0',
        '/proc/self/mounts': '//nas/till /mnt cifs user=bob 0 0\n/dev/sda1 / ext4 rw 0 0',
        '/proc/net/route': 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000',
      },
      {},
    )
    const text = JSON.stringify(await recordMachine(root))
    for (const secret of ['0123456789abcdef', 'till', 'hunter2', 'aaaa-bbbb', 'deadbeef', 'bob', '0101A8C0'])
      expect(text, secret).not.toContain(secret)
    expect(text).toContain('Raspberry Pi 5')
    expect(text).toContain('numa=fake=8')
  })
})

describe('a reader of another root', () => {
  it('does not follow links out of it', async () => {
    await build({ '/etc/real': 'inside' }, { '/etc/outside': '/etc/hostname', '/etc/up': '../../../../../../../etc/passwd', '/etc/in': 'real' })
    const reader = createHostReader(root)
    expect([await reader.read('/etc/outside'), await reader.read('/etc/up'), await reader.read('/etc/in')]).toEqual([null, null, 'inside'])
  })
})
