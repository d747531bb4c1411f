/** Boards with NXP, Rockchip and other chips that carry their own GPU and NPU. */
import type { DeviceProfile } from './schema.ts'

const ROCKCHIP_NPU = {
  kind: 'npu',
  resource: 'rockchip.com/npu',
  driver: 'the vendor kernel with rknpu 0.9 or later (mainline: rocket)',
} as const
const RKNN_NEEDS = {
  needs: ['all of /dev/dri, whose numbers change between boots', 'systempaths=unconfined: the runtime reads /proc/device-tree'],
}

export const SOC_BOARDS: readonly DeviceProfile[] = [
  {
    name: 'gateworks-venice-imx8mp',
    title: 'Gateworks Venice GW7xxx (NXP i.MX 8M Plus)',
    family: 'imx',
    match: { compatible: ['gateworks,imx8mp-gw*'] },
    declares: {
      soc: 'imx8mp',
      cores: [4],
      numaNodes: [1],
      accelerators: [
        { kind: 'integrated-gpu', name: 'Vivante GC7000UL', resource: 'skerry.dev/gpu', driver: 'etnaviv' },
        { kind: 'npu', name: 'VIP8000, 2.3 TOPS', resource: 'nxp.com/npu', driver: 'the vendor kernel with galcore' },
      ],
      storage: ['emmc', 'nvme'],
      network: ['ethernet', 'cellular'],
      source: 'linux imx8mp-venice-gw74xx.dts',
    },
    labels: { 'skerry.dev/board-family': 'imx' },
  },
  {
    name: 'nxp-imx8mp',
    title: 'NXP i.MX 8M Plus board',
    family: 'imx',
    match: { compatible: ['fsl,imx8mp'] },
    declares: {
      soc: 'imx8mp',
      cores: [2, 4],
      accelerators: [{ kind: 'npu', name: 'VIP8000, 2.3 TOPS', resource: 'nxp.com/npu', driver: 'the vendor kernel with galcore' }],
      storage: ['emmc', 'sd'],
      source: 'linux imx8mp.dtsi',
    },
    labels: { 'skerry.dev/board-family': 'imx' },
    notes: ['The i.MX 8M Plus Lite has no NPU: its absence is then no fault.'],
  },
  {
    name: 'orange-pi-5',
    title: 'Orange Pi 5 or 5 Plus (RK3588)',
    family: 'rockchip',
    match: { compatible: ['xunlong,orangepi-5*'], model: ['Orange Pi 5*', 'Xunlong Orange Pi 5*'] },
    declares: {
      soc: 'rk3588',
      cores: [8],
      numaNodes: [1],
      accelerators: [{ ...ROCKCHIP_NPU, name: 'RK3588 NPU, 6 TOPS' }],
      storage: ['emmc', 'nvme', 'sd'],
      network: ['ethernet'],
      source: 'frigate#8382; glances test data',
    },
    labels: { 'skerry.dev/board-family': 'rockchip' },
    engine: RKNN_NEEDS,
  },
  {
    name: 'rockchip-rk3588',
    title: 'Rockchip RK3588 board (ROCK 5 and others)',
    family: 'rockchip',
    match: { compatible: ['rockchip,rk3588', 'rockchip,rk3588s'] },
    declares: {
      soc: 'rk3588',
      cores: [8],
      numaNodes: [1],
      accelerators: [{ ...ROCKCHIP_NPU, name: 'RK3588 NPU, 6 TOPS' }],
      storage: ['emmc', 'nvme', 'sd'],
      source: 'linux rk3588.dtsi',
    },
    labels: { 'skerry.dev/board-family': 'rockchip' },
    engine: RKNN_NEEDS,
  },
  {
    name: 'rockchip-rk3568',
    title: 'Rockchip RK3566 or RK3568 board',
    family: 'rockchip',
    match: { compatible: ['rockchip,rk3568', 'rockchip,rk3566'] },
    declares: {
      cores: [4],
      accelerators: [{ ...ROCKCHIP_NPU, name: 'RK356x NPU, 1 TOPS' }],
      storage: ['emmc', 'nvme', 'sd'],
      source: 'linux rk356x.dtsi',
    },
    labels: { 'skerry.dev/board-family': 'rockchip' },
    engine: RKNN_NEEDS,
  },
]
