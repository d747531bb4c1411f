/** The profiles this version ships. */
import type { DeviceProfile } from './schema.ts'

export const PROFILES: readonly DeviceProfile[] = [
  { name: 'generic-x86-64', title: 'x86-64 computer', match: { arch: ['amd64'] } },
  { name: 'generic-arm64', title: '64-bit ARM computer', match: { arch: ['arm64'] } },
  {
    name: 'raspberry-pi-4',
    title: 'Raspberry Pi 4 or Compute Module 4',
    match: { arch: ['arm64'], compatible: ['raspberrypi,4-model-b', 'raspberrypi,4-compute-module', 'raspberrypi,400'] },
    labels: { 'skerry.dev/board-family': 'raspberry-pi' },
    notes: [
      'The firmware may show one memory as several NUMA nodes; they are taken for one.',
      'The memory controller group is off unless the kernel command line holds cgroup_enable=memory.',
    ],
  },
]
