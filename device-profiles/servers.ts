/** Servers at the edge: several NUMA nodes, by firmware setting. */
import type { DeviceProfile } from './schema.ts'

export const SERVERS: readonly DeviceProfile[] = [
  {
    name: 'dell-xr8620t',
    title: 'Dell PowerEdge XR8620t',
    match: { arch: ['amd64'], product: ['PowerEdge XR8620t'] },
    declares: {
      numaNodes: [1, 2, 4],
      storage: ['nvme', 'ssd'],
      network: ['ethernet'],
      source: 'smclab.net/posts/eib-05',
    },
    labels: { 'skerry.dev/board-family': 'edge-server' },
    notes: ['Sub-NUMA clustering is a firmware setting: with it one socket shows two or four nodes.'],
  },
  {
    name: 'supermicro-112d-xeon6-soc',
    title: 'Supermicro SYS-112D (Xeon 6 SoC)',
    match: { arch: ['amd64'], product: ['SYS-112D-*'] },
    declares: {
      soc: 'xeon-6-soc',
      cores: [36, 40, 42, 64, 72],
      numaNodes: [1, 2],
      storage: ['nvme'],
      network: ['ethernet'],
      source: 'servethehome.com review of SYS-112D-40C-FN8P',
    },
    labels: { 'skerry.dev/board-family': 'edge-server' },
  },
  {
    name: 'ampere-altra',
    title: 'Ampere Altra server',
    match: { arch: ['arm64'], product: ['Mt. Jade*', 'Mt. Collins*', 'Mt. Snow*', 'Mt.Jade*', 'Mt.Collins*', 'Mt.Snow*'] },
    declares: {
      soc: 'altra',
      numaNodes: [1, 2, 4, 8],
      storage: ['nvme', 'ssd'],
      network: ['ethernet'],
      source: 'ampere-lts-kernel#16, #25; vllm#39191',
    },
    labels: { 'skerry.dev/board-family': 'edge-server' },
    notes: ['One, two or four nodes a socket by firmware setting (monolithic, hemisphere, quadrant); memory-only nodes with "slave 32bit" on.'],
  },
  {
    name: 'amd-epyc-8004',
    title: 'Server with AMD EPYC 8004 (Siena)',
    match: {
      arch: ['amd64'],
      cpu: ['AMD EPYC 8024P*', 'AMD EPYC 8124P*', 'AMD EPYC 8224P*', 'AMD EPYC 8324P*', 'AMD EPYC 8434P*', 'AMD EPYC 8534P*'],
    },
    declares: {
      soc: 'epyc-8004',
      cores: [8, 16, 24, 32, 48, 64],
      numaNodes: [1, 2, 4],
      storage: ['nvme', 'ssd'],
      source: 'computerbase.de and nextinpact.com on EPYC 8004',
    },
    labels: { 'skerry.dev/board-family': 'edge-server' },
    notes: ['One, two or four nodes by the firmware setting NPS.'],
  },
  {
    name: 'kunpeng-920',
    title: 'Huawei server with Kunpeng 920',
    match: { arch: ['arm64'], vendor: ['Huawei*', 'HUAWEI*'] },
    declares: {
      soc: 'kunpeng-920',
      cores: [32, 48, 64, 96, 128],
      numaNodes: [1, 2, 4, 8],
      storage: ['nvme', 'ssd'],
      network: ['ethernet'],
      source: 'sysfs of an XA320 V2 in the hwloc tests',
    },
    labels: { 'skerry.dev/board-family': 'edge-server' },
  },
  {
    name: 'xeon-optane-memory',
    title: 'Intel S2600 server with two Xeons and persistent memory',
    match: { arch: ['amd64'], board: ['S2600WF*', 'S2600BP*'] },
    declares: { source: 'sysfs of such a server in the hwloc tests' },
    labels: { 'skerry.dev/board-family': 'edge-server' },
    notes: ['Persistent memory may show as NUMA nodes without CPUs: nothing is placed there.'],
  },
]
