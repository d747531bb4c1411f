/** Raspberry Pi. */
import type { DeviceProfile } from './schema.ts'

const MEMORY_GROUP = 'The memory controller group is off unless the kernel command line holds cgroup_enable=memory.'
const V3D = {
  kind: 'integrated-gpu',
  resource: 'skerry.dev/gpu',
  driver: 'the kernel module v3d (dtoverlay=vc4-kms-v3d in config.txt)',
} as const

export const RASPBERRY_PIS: readonly DeviceProfile[] = [
  {
    name: 'raspberry-pi-5',
    title: 'Raspberry Pi 5, 500 or Compute Module 5',
    family: 'raspberrypi',
    match: {
      compatible: ['raspberrypi,5-model-b', 'raspberrypi,5-compute-module', 'raspberrypi,500'],
      model: ['Raspberry Pi 5*', 'Raspberry Pi Compute Module 5*', 'Raspberry Pi 500*'],
    },
    declares: {
      soc: 'bcm2712',
      cores: [4],
      numaNodes: [1],
      fakeNuma: true,
      accelerators: [{ ...V3D, name: 'VideoCore VII' }],
      storage: ['sd', 'nvme', 'emmc'],
      network: ['ethernet', 'wifi'],
      source: 'raspberrypi/linux#6273 (fake NUMA), #6821 and #6971 (boot logs)',
    },
    labels: { 'skerry.dev/board-family': 'raspberry-pi' },
    notes: ['The firmware shows one memory as up to eight NUMA nodes; they are taken for one.', MEMORY_GROUP],
  },
  {
    name: 'raspberry-pi-4',
    title: 'Raspberry Pi 4, 400 or Compute Module 4',
    family: 'raspberrypi',
    match: {
      compatible: ['raspberrypi,4-model-b', 'raspberrypi,4-compute-module', 'raspberrypi,400'],
      model: ['Raspberry Pi 4*', 'Raspberry Pi Compute Module 4*'],
    },
    declares: {
      soc: 'bcm2711',
      cores: [4],
      numaNodes: [1],
      fakeNuma: true,
      accelerators: [{ ...V3D, name: 'VideoCore VI' }],
      storage: ['sd', 'emmc', 'ssd'],
      network: ['ethernet', 'wifi'],
      source: 'raspberrypi/documentation#4202; raspberrypi/linux#6273 (fake NUMA)',
    },
    labels: { 'skerry.dev/board-family': 'raspberry-pi' },
    notes: ['The firmware may show one memory as several NUMA nodes; they are taken for one.', MEMORY_GROUP],
  },
  {
    name: 'raspberry-pi-3',
    title: 'Raspberry Pi 3, Zero 2 W or Compute Module 3',
    family: 'raspberrypi',
    match: {
      compatible: ['raspberrypi,3-model-b', 'raspberrypi,3-model-b-plus', 'raspberrypi,3-compute-module', 'raspberrypi,model-zero-2-w'],
      model: ['Raspberry Pi 3*', 'Raspberry Pi Compute Module 3*', 'Raspberry Pi Zero 2*'],
    },
    declares: { soc: 'bcm2837', cores: [4], storage: ['sd', 'emmc'], network: ['ethernet', 'wifi'], source: 'raspberrypi/linux device trees' },
    labels: { 'skerry.dev/board-family': 'raspberry-pi' },
    notes: [MEMORY_GROUP],
  },
]
