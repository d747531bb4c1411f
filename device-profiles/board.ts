/** What a board is, by its own words: family, chip, module. Where the device tree names the chip, no profile is needed. */
import { matchProfile } from './match.ts'
import type { BoardEvidence } from './match.ts'
import type { DeviceProfile } from './schema.ts'

export interface BoardIdentity {
  /** jetson, imx, raspberrypi, rockchip...; null = not known */
  readonly family: string | null
  /** tegra234, imx8mp, bcm2712, rk3588 */
  readonly soc: string | null
  /** part number of a compute module */
  readonly module: string | null
  readonly profile: DeviceProfile | null
}

const CHIPS: readonly { readonly family: string; readonly pattern: RegExp }[] = [
  { family: 'jetson', pattern: /^nvidia,(tegra\d+)$/ },
  { family: 'imx', pattern: /^fsl,(imx\w+)$/ },
  { family: 'raspberrypi', pattern: /^brcm,(bcm2\d{3})$/ },
  { family: 'rockchip', pattern: /^rockchip,(rk\d{4}\w*|px30)$/ },
  { family: 'allwinner', pattern: /^allwinner,(sun\d+i-\w+)$/ },
  { family: 'amlogic', pattern: /^amlogic,(g12\w|s\w+|a\w+)$/ },
  { family: 'ti', pattern: /^ti,(am\d+\w*|j7\w+)$/ },
  { family: 'qualcomm', pattern: /^qcom,(\w+)$/ },
  { family: 'stm32', pattern: /^st,(stm32mp\d+)$/ },
]

/** @param cpuinfoHardware `Hardware` of /proc/cpuinfo, which old kernels write instead of a device tree */
export function identifyBoard(profiles: readonly DeviceProfile[], evidence: BoardEvidence, cpuinfoHardware: string | null = null): BoardIdentity {
  const profile = matchProfile(profiles, evidence)
  const chip = chipOf(evidence.compatible)
  const hardware = /^BCM2\d{3}$/i.test(cpuinfoHardware ?? '') ? (cpuinfoHardware ?? '').toLowerCase() : null
  // firmware that says BCM2835 for every later chip is corrected by the board's own name
  const soc = chip?.soc ?? profile?.declares?.soc ?? (hardware === 'bcm2835' ? null : hardware)
  return {
    family: chip?.family ?? profile?.family ?? (/^Raspberry Pi\b/.test(evidence.model ?? '') || hardware !== null ? 'raspberrypi' : null),
    soc,
    module: evidence.compatible.flatMap((name) => /^nvidia,(p\d{4}-\d{4})$/.exec(name)?.[1] ?? [])[0] ?? null,
    profile,
  }
}

function chipOf(compatible: readonly string[]): { readonly family: string; readonly soc: string } | null {
  for (const name of compatible) {
    for (const { family, pattern } of CHIPS) {
      const soc = pattern.exec(name)?.[1]
      if (soc !== undefined) return { family, soc }
    }
  }
  return null
}
