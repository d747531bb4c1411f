/** Which profile a device has: the most specific one whose rules all hold. */
import type { DeviceProfile } from './schema.ts'

export interface BoardEvidence {
  /** as in Go: amd64, arm64, arm, riscv64 */
  readonly arch: string
  /** lines of /proc/device-tree/compatible, the most specific first */
  readonly compatible: readonly string[]
  /** /sys/class/dmi/id/product_name */
  readonly product: string | null
}

/** null when no profile fits. Of equally specific ones the first in the list wins. */
export function matchProfile(profiles: readonly DeviceProfile[], board: BoardEvidence): DeviceProfile | null {
  let best: { readonly profile: DeviceProfile; readonly rules: number } | null = null
  for (const profile of profiles) {
    const rules = rulesHeld(profile, board)
    if (rules !== null && (best === null || rules > best.rules)) best = { profile, rules }
  }
  return best?.profile ?? null
}

/** how many rules hold, or null when one does not; a board's own name weighs more than an architecture */
function rulesHeld({ match }: DeviceProfile, board: BoardEvidence): number | null {
  let held = 0
  if (match.arch !== undefined) {
    if (!match.arch.some((arch) => arch === board.arch)) return null
    held += 1
  }
  if (match.compatible !== undefined) {
    if (!match.compatible.some((name) => board.compatible.includes(name))) return null
    held += 2
  }
  if (match.product !== undefined) {
    if (board.product === null || !match.product.includes(board.product)) return null
    held += 2
  }
  return held === 0 ? null : held
}
