/** Which images a device fetches before its wave starts. */
import type { ImageRate } from '../../../protocol/pull-rate.ts'
import { pullRateOf } from '../../resources/pull-rate.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { Rollout } from '../../resources/rollout.ts'
import type { StoredRollout } from './overlay.ts'
import { hasEnded } from './step-input.ts'

export interface Ahead {
  readonly images: readonly string[]
  /** how fast they may come */
  readonly rates: readonly ImageRate[]
}
export const NOTHING_AHEAD: Ahead = { images: [], rates: [] }

/** Only while it waits for its turn: afterwards its pods name the images themselves. */
export function imagesAhead({ rollout, parts, memberOf }: StoredRollout, node: string): Ahead {
  const member = memberOf(node)
  if (member === undefined || !fetchesAhead(rollout, member)) return NOTHING_AHEAD
  const rate = pullRateOf(rollout.spec.bandwidth)
  const images = [...new Set(parts.flatMap(({ next }) => [...(next.spec.initContainers ?? []), ...next.spec.containers].map(({ image }) => image)))]
  return { images, rates: rate === null ? [] : images.map((image) => ({ image, ...rate })) }
}

export function fetchesAhead({ spec, status }: Rollout, { verdict, wave }: RolloutMember): boolean {
  if (spec.prefetch === undefined || spec.prefetch === 'None' || spec.abort !== undefined || hasEnded(status)) return false
  if (verdict !== 'pending' && verdict !== 'queued') return false
  return spec.prefetch === 'AllWaves' || wave <= (status?.releasedWave ?? 0) + 1
}
