import { lookUp } from '../../../../protocol/look-up.ts'
import { MAX_SCORE } from '../framework.ts'
import type { ScorePlugin } from '../framework.ts'
import { labelOf } from '../node-affinity.ts'

/** `mains`, `battery` or `low`: set by people or by the device; absent counts as mains. */
export const POWER_LABEL = 'skerry.dev/power'

const PENALTY: Readonly<Record<string, number>> = { battery: 1, low: 4 }

/** Prefers devices on mains over those on battery, and both over those that run low. */
export const powerState: ScorePlugin = {
  name: 'PowerState',
  score: (_, node) => lookUp(PENALTY, labelOf(node.labels, POWER_LABEL)) ?? 0,
  normalizeScore: (scores) => {
    const most = scores.reduce((max, score) => Math.max(max, score), 0)
    return scores.map((score) => (most === 0 ? MAX_SCORE : MAX_SCORE - Math.trunc((MAX_SCORE * score) / most)))
  },
}
