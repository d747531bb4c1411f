/** Rollouts in numbers, for metrics. */
import type { Sample } from '../../protocol/exposition.ts'
import type { Rollout } from '../resources/rollout.ts'
import { ROLLOUT_PHASES } from '../resources/rollout-status.ts'
import { VERDICTS } from '../resources/rollout-verdict.ts'
import { tally } from './fleet-figures.ts'
import { byAge, nameOf, namespaceOf } from './meta.ts'
import type { MetricName } from './metric-table.ts'
import { hasEnded } from './rollout/step-input.ts'

/** Those that have not ended, the newest first: an old one that nobody finished must not hide the one that runs. */
const SHOWN = 20

export function rolloutFigures(rollouts: readonly Rollout[]): { readonly [M in MetricName]?: readonly Sample[] } {
  const open = rollouts
    .filter(({ status }) => !hasEnded(status))
    .toSorted((a, b) => byAge(b, a))
    .slice(0, SHOWN)
  const named = (rollout: Rollout): Readonly<Record<string, string>> => ({ namespace: namespaceOf(rollout), rollout: nameOf(rollout) })
  return {
    skerry_rollouts: tally(
      'phase',
      ROLLOUT_PHASES,
      rollouts.map(({ status }) => status?.phase ?? 'Preparing'),
    ),
    skerry_rollout_devices: open.flatMap((rollout) =>
      (rollout.status?.waves ?? []).flatMap(({ number, counts }) =>
        VERDICTS.flatMap((verdict) => {
          const value = counts[verdict] ?? 0
          return value === 0 ? [] : [{ labels: { ...named(rollout), wave: String(number), verdict }, value }]
        }),
      ),
    ),
    skerry_rollout_paused: open
      .filter(({ status }) => status?.phase === 'Paused')
      .map((rollout) => ({ labels: { ...named(rollout), by: rollout.status?.pausedBy ?? 'user' }, value: 1 })),
  }
}
