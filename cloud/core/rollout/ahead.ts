/** Which images a device fetches before its wave starts. */
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { Rollout } from '../../resources/rollout.ts'
import type { StoredRollout } from './overlay.ts'
import { hasEnded } from './step-input.ts'

/** Only while it waits for its turn: afterwards its pods name the images themselves. */
export function imagesAhead({ rollout, parts, memberOf }: StoredRollout, node: string): readonly string[] {
  const member = memberOf(node)
  if (member === undefined || !fetchesAhead(rollout, member)) return []
  return [...new Set(parts.flatMap(({ next }) => [...(next.spec.initContainers ?? []), ...next.spec.containers].map(({ image }) => image)))]
}

export function fetchesAhead({ spec, status }: Rollout, { verdict, wave }: RolloutMember): boolean {
  if (spec.prefetch === undefined || spec.prefetch === 'None' || spec.abort !== undefined || hasEnded(status)) return false
  if (verdict !== 'pending' && verdict !== 'queued') return false
  return spec.prefetch === 'AllWaves' || wave <= (status?.releasedWave ?? 0) + 1
}
