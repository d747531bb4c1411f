/** The GPU inside an NVIDIA Jetson: not on the PCI bus, no memory of its own, and until JetPack 6 without nvidia-smi. */
import type { Accelerator } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import { readJetson } from './accelerator-readings.ts'
import type { Evidence } from './findings.ts'

const GPU_FOLDERS = ['/sys/devices/platform/gpu.0', '/sys/devices/gpu.0', '/sys/devices/platform/bus@0/17000000.gpu', '/sys/devices/17000000.gpu']

export async function probeJetson(reader: HostReader, evidence: Evidence): Promise<readonly Accelerator[]> {
  const compatible = (await reader.read('/proc/device-tree/compatible')) ?? ''
  const soc = /^nvidia,(tegra\d+)$/m.exec(compatible)?.[1] ?? null
  const family = (await reader.read('/sys/devices/soc0/family')) ?? ''
  const release = await reader.read('/etc/nv_tegra_release')
  const folder = await firstFolder(reader)
  const sure = release !== null || /^tegra/i.test(family) || soc !== null
  if (!sure && folder !== '/sys/devices/platform/gpu.0') return []
  const source = folder ?? (soc !== null ? '/proc/device-tree/compatible' : release !== null ? '/etc/nv_tegra_release' : '/sys/devices/soc0/family')
  evidence.source('topology.accelerators.jetson', source)
  return [
    {
      id: folder?.split('/').at(-1) ?? 'gpu.0',
      kind: 'integrated-gpu',
      vendor: 'nvidia',
      ...(soc === null ? {} : { device: soc }),
      driver: 'nvgpu',
      sharesSystemMemory: true,
      resource: 'nvidia.com/gpu',
      ...(await readJetson(reader)),
    },
  ]
}

async function firstFolder(reader: HostReader): Promise<string | null> {
  for (const folder of GPU_FOLDERS) if ((await reader.list(folder)).length > 0) return folder
  const devfreq = (await reader.list('/sys/class/devfreq')).find((name) => /^(\d+\.(gpu|gv11b|gp10b|ga10b)|gpu-gpc-0)$/.test(name))
  return devfreq === undefined ? null : `/sys/class/devfreq/${devfreq}`
}
