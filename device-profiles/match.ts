/** Which profile a device has: the most specific one whose rules hold. */
import type { DeviceProfile } from './schema.ts'

export interface BoardEvidence {
  /** as in Go: amd64, arm64, arm, riscv64 */
  readonly arch: string
  /** lines of /proc/device-tree/compatible, the most specific first */
  readonly compatible: readonly string[]
  /** /sys/class/dmi/id/product_name */
  readonly product: string | null
  /** /proc/device-tree/model, or what an old kernel says in /proc/cpuinfo */
  readonly model?: string | null
  /** /sys/class/dmi/id/sys_vendor */
  readonly vendor?: string | null
  /** /sys/class/dmi/id/board_name */
  readonly board?: string | null
  /** `model name` of /proc/cpuinfo */
  readonly cpu?: string | null
}

/** null when no profile fits. Of equally specific ones the first in the list wins. */
export function matchProfile(profiles: readonly DeviceProfile[], board: BoardEvidence): DeviceProfile | null {
  let best: { readonly profile: DeviceProfile; readonly weight: number } | null = null
  for (const profile of profiles) {
    const weight = weightOf(profile, board)
    if (weight !== null && (best === null || weight > best.weight)) best = { profile, weight }
  }
  return best?.profile ?? null
}

/** A board's own name says more than its chip, a chip more than a maker, a maker more than an architecture. */
const WEIGHTS = { name: 16, cpu: 4, vendor: 2, arch: 1 } as const

/** null when a rule does not hold */
function weightOf({ match }: DeviceProfile, board: BoardEvidence): number | null {
  if (match.arch !== undefined && !match.arch.some((arch) => arch === board.arch)) return null
  let weight = match.arch === undefined ? 0 : WEIGHTS.arch
  for (const rule of ['cpu', 'vendor'] as const) {
    if (match[rule] === undefined) continue
    if (!fitsAny(match[rule], board[rule])) return null
    weight += WEIGHTS[rule]
  }
  const { compatible, model, product, board: boardName } = match
  if (compatible !== undefined || model !== undefined || product !== undefined || boardName !== undefined) {
    // the first names of the device tree's list are the closest
    const place = board.compatible.findIndex((name) => fitsAny(compatible, name))
    const byName = fitsAny(model, board.model) || fitsAny(product, board.product) || fitsAny(boardName, board.board)
    if (place < 0 && !byName) return null
    weight += WEIGHTS.name * (byName ? 2 : 2 - place / board.compatible.length)
  }
  return weight === 0 ? null : weight
}

function fitsAny(patterns: readonly string[] | undefined, value: string | null | undefined): boolean {
  const text = value?.trim() ?? ''
  return text !== '' && patterns?.some((pattern) => fits(pattern, text)) === true
}

function fits(pattern: string, value: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
}
