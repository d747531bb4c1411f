/** NVIDIA Jetson and DGX Spark. */
import type { DeviceProfile } from './schema.ts'

const RUNTIME = {
  runtime: 'nvidia',
  needs: ['nvidia-container-toolkit in CSV or CDI mode; device requests by UUID do not work on a Jetson before JetPack 6'],
}
const integrated = (name: string) =>
  ({ kind: 'integrated-gpu', name, resource: 'nvidia.com/gpu', driver: 'the kernel of JetPack (nvgpu) and nvidia-container-toolkit' }) as const

export const JETSONS: readonly DeviceProfile[] = [
  {
    name: 'jetson-orin-nano',
    title: 'NVIDIA Jetson Orin Nano or Orin NX',
    family: 'jetson',
    match: { compatible: ['nvidia,p3767-0*', 'nvidia,p3768-0000+p3767-0*'] },
    declares: {
      soc: 'tegra234',
      cores: [4, 6, 8],
      numaNodes: [1],
      accelerators: [integrated('Ampere, up to 1024 CUDA cores')],
      storage: ['nvme', 'sd'],
      network: ['ethernet', 'wifi'],
      source: 'linux tegra234-p3768-0000+p3767-0005.dts; Orin Nano data sheet',
    },
    labels: { 'skerry.dev/board-family': 'jetson' },
    engine: RUNTIME,
    notes: ['The GPU has no memory of its own: what it uses is missing from the system memory.'],
  },
  {
    name: 'jetson-agx-orin',
    title: 'NVIDIA Jetson AGX Orin',
    family: 'jetson',
    match: { compatible: ['nvidia,p3701-0*', 'nvidia,p3737-0000+p3701-0*'] },
    declares: {
      soc: 'tegra234',
      cores: [8, 12],
      numaNodes: [1],
      accelerators: [integrated('Ampere, up to 2048 CUDA cores')],
      storage: ['emmc', 'nvme'],
      network: ['ethernet'],
      source: 'linux tegra234-p3737-0000+p3701-0000.dts; apache/tvm#16231 (12 cores)',
    },
    labels: { 'skerry.dev/board-family': 'jetson' },
    engine: RUNTIME,
    notes: ['The GPU has no memory of its own: what it uses is missing from the system memory.'],
  },
  {
    name: 'jetson',
    title: 'NVIDIA Jetson',
    family: 'jetson',
    match: { compatible: ['nvidia,tegra210', 'nvidia,tegra186', 'nvidia,tegra194', 'nvidia,tegra234', 'nvidia,tegra264'], arch: ['arm64'] },
    declares: { accelerators: [integrated('integrated GPU')], source: 'linux device trees' },
    labels: { 'skerry.dev/board-family': 'jetson' },
    engine: RUNTIME,
  },
  {
    name: 'nvidia-dgx-spark',
    title: 'NVIDIA DGX Spark (GB10)',
    family: 'dgx',
    match: { product: ['NVIDIA_DGX_Spark*', 'NVIDIA DGX Spark*'], arch: ['arm64'] },
    declares: {
      soc: 'gb10',
      cores: [20],
      numaNodes: [1],
      accelerators: [{ kind: 'gpu', name: 'GB10 Blackwell', resource: 'nvidia.com/gpu', driver: 'the NVIDIA driver and nvidia-container-toolkit' }],
      storage: ['nvme'],
      network: ['ethernet', 'wifi'],
      source: 'sysfs of a DGX Spark in the lscpu tests',
    },
    engine: { runtime: 'nvidia', needs: ['nvidia-container-toolkit'] },
    notes: ['CPU and GPU share one memory: a container that fills it starves both.'],
  },
]
