/** The catalogue of boards: every profile is sound, every real board gets its own, and adding one takes no code. */
import { describe, expect, it } from 'vitest'
import { identifyBoard } from '../device-profiles/board.ts'
import { PROFILES } from '../device-profiles/catalogue.ts'
import type { BoardEvidence } from '../device-profiles/match.ts'
import { matchProfile } from '../device-profiles/match.ts'
import { DEVICE_PROFILE } from '../device-profiles/schema.ts'
import { LABELS } from '../cloud/resources/object.ts'
import { check } from '../protocol/shape.ts'

const board = (arch: string, told: Partial<BoardEvidence> = {}): BoardEvidence => ({ arch, compatible: [], product: null, ...told })

/** what real boards say of themselves -> profile */
const REAL: readonly (readonly [BoardEvidence, string])[] = [
  [board('arm64', { compatible: ['raspberrypi,5-model-b', 'brcm,bcm2712'], model: 'Raspberry Pi 5 Model B Rev 1.0' }), 'raspberry-pi-5'],
  [
    board('arm64', { compatible: ['raspberrypi,4-compute-module', 'brcm,bcm2711'], model: 'Raspberry Pi Compute Module 4 Rev 1.1' }),
    'raspberry-pi-4',
  ],
  [board('arm', { model: 'Raspberry Pi 4 Model B Rev 1.2' }), 'raspberry-pi-4'],
  [board('arm64', { compatible: ['raspberrypi,3-model-b-plus', 'brcm,bcm2837'], model: 'Raspberry Pi 3 Model B Plus Rev 1.3' }), 'raspberry-pi-3'],
  [board('arm64', { compatible: ['nvidia,p3768-0000+p3767-0005', 'nvidia,p3767-0005', 'nvidia,tegra234'] }), 'jetson-orin-nano'],
  [board('arm64', { compatible: ['nvidia,p3737-0000+p3701-0005', 'nvidia,p3701-0005', 'nvidia,tegra234'] }), 'jetson-agx-orin'],
  [board('arm64', { compatible: ['nvidia,p3450-0000', 'nvidia,tegra210'] }), 'jetson'],
  [board('arm64', { product: 'NVIDIA_DGX_Spark', vendor: 'NVIDIA', board: 'P4242' }), 'nvidia-dgx-spark'],
  [board('arm64', { compatible: ['gateworks,imx8mp-gw74xx', 'fsl,imx8mp'] }), 'gateworks-venice-imx8mp'],
  [board('arm64', { compatible: ['phytec,imx8mp-phyboard-pollux-rdk', 'phytec,imx8mp-phycore-som', 'fsl,imx8mp'] }), 'nxp-imx8mp'],
  [board('arm64', { compatible: ['xunlong,orangepi-5-plus', 'rockchip,rk3588'] }), 'orange-pi-5'],
  [board('arm64', { model: 'Orange Pi 5 Plus' }), 'orange-pi-5'],
  [board('arm64', { compatible: ['radxa,rock-5b', 'rockchip,rk3588'] }), 'rockchip-rk3588'],
  [board('arm64', { compatible: ['radxa,rock3a', 'rockchip,rk3568'] }), 'rockchip-rk3568'],
  [board('amd64', { product: 'UPN-EHL01', cpu: 'Intel Atom(R) x6425RE Processor @ 1.90GHz' }), 'up-squared-6000'],
  [board('amd64', { product: 'Default string', cpu: 'Intel Atom(R) x6413E Processor @ 1.50GHz' }), 'intel-elkhart-lake'],
  [board('amd64', { vendor: 'Dell Inc.', product: 'PowerEdge XR8620t' }), 'dell-xr8620t'],
  [board('amd64', { vendor: 'Supermicro', product: 'SYS-112D-40C-FN8P' }), 'supermicro-112d-xeon6-soc'],
  [board('arm64', { vendor: 'WIWYNN', product: 'Mt.Jade' }), 'ampere-altra'],
  [board('amd64', { vendor: 'Supermicro', product: 'Super Server', cpu: 'AMD EPYC 8324P 32-Core Processor' }), 'amd-epyc-8004'],
  [board('arm64', { vendor: 'Huawei', product: 'XA320 V2 ', board: 'BC82HPNBB' }), 'kunpeng-920'],
  [board('amd64', { vendor: 'Intel Corporation', product: 'S2600WFT', board: 'S2600WFT' }), 'xeon-optane-memory'],
  [board('amd64', { vendor: 'QEMU', product: 'Standard PC (i440FX + PIIX, 1996)' }), 'kvm-virtual-machine'],
  [board('amd64', { vendor: 'Dell Inc.', product: 'PowerEdge R740' }), 'generic-x86-64'],
  [board('arm64'), 'generic-arm64'],
]

describe('the catalogue', () => {
  it('is sound: form, names, labels', () => {
    for (const profile of PROFILES) {
      expect(check(DEVICE_PROFILE, profile), profile.name).toEqual([])
      expect(check(LABELS, { ...profile.labels, 'skerry.dev/profile': profile.name }), profile.name).toEqual([])
    }
    expect(new Set(PROFILES.map((profile) => profile.name)).size).toBe(PROFILES.length)
  })

  it('has at least fourteen boards beside the generic ones, and says where their facts are from', () => {
    const boards = PROFILES.filter((profile) => !profile.name.startsWith('generic-'))
    expect(boards.length).toBeGreaterThanOrEqual(14)
    for (const profile of boards) if (profile.declares !== undefined) expect(profile.declares.source.length, profile.name).toBeGreaterThan(8)
  })

  it.each(REAL)('knows %o as %s', (evidence, name) => {
    expect(matchProfile(PROFILES, evidence)?.name).toBe(name)
  })

  it('has a real board for every profile', () => {
    const known = new Set(REAL.map(([, name]) => name))
    const without = PROFILES.map((profile) => profile.name).filter((name) => !known.has(name) && !name.startsWith('generic-'))
    expect(without).toEqual([])
  })

  it('does not depend on the order of its entries', () => {
    for (const [evidence, name] of REAL) expect(matchProfile(PROFILES.toReversed(), evidence)?.name).toBe(name)
  })
})

describe('a new board', () => {
  it('is an entry: its own name beats its chip, and its chip is known from the device tree', () => {
    const mine = {
      name: 'my-gateway',
      title: 'My gateway',
      match: { compatible: ['acme,gateway-1'] },
      declares: { soc: 'am6254', source: 'data sheet' },
    }
    const evidence = board('arm64', { compatible: ['acme,gateway-1', 'ti,am625'] })
    expect(identifyBoard([...PROFILES, mine], evidence)).toMatchObject({ family: 'ti', soc: 'am625', profile: { name: 'my-gateway' } })
    expect(identifyBoard(PROFILES, evidence).profile?.name).toBe('generic-arm64')
  })

  it('without a name is not mistaken for another', () => {
    expect(matchProfile(PROFILES, board('mips'))).toBeNull()
    expect(matchProfile([{ name: 'empty', title: 'x', match: {} }], board('arm64'))).toBeNull()
    expect(matchProfile(PROFILES, board('amd64', { product: '', model: '', cpu: '' }))?.name).toBe('generic-x86-64')
  })
})
