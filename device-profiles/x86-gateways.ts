/** Small x86 computers at the edge. */
import type { DeviceProfile } from './schema.ts'

export const X86_GATEWAYS: readonly DeviceProfile[] = [
  {
    name: 'up-squared-6000',
    title: 'UP Squared 6000 Edge (Intel Elkhart Lake)',
    match: { arch: ['amd64'], product: ['UP-EHL01*', 'UPN-EHL01*'] },
    declares: {
      soc: 'elkhart-lake',
      cores: [2, 4],
      numaNodes: [1],
      accelerators: [{ kind: 'gpu', name: 'Intel UHD', resource: 'gpu.intel.com/i915', driver: 'i915 with its firmware' }],
      storage: ['emmc', 'ssd', 'nvme'],
      network: ['ethernet'],
      source: 'UP board wiki',
    },
    labels: { 'skerry.dev/board-family': 'x86-gateway' },
  },
  {
    name: 'intel-elkhart-lake',
    title: 'Gateway with Intel Atom x6000E (Elkhart Lake)',
    match: { arch: ['amd64'], cpu: ['Intel Atom(R) x6*', 'Intel(R) Atom(TM) x6*'] },
    declares: {
      soc: 'elkhart-lake',
      cores: [2, 4],
      numaNodes: [1],
      accelerators: [{ kind: 'gpu', name: 'Intel UHD', resource: 'gpu.intel.com/i915', driver: 'i915 with its firmware' }],
      source: 'UP board wiki',
    },
    labels: { 'skerry.dev/board-family': 'x86-gateway' },
  },
  {
    name: 'kvm-virtual-machine',
    title: 'Virtual machine on QEMU/KVM',
    match: { vendor: ['QEMU'] },
    labels: { 'skerry.dev/board-family': 'virtual' },
  },
]
