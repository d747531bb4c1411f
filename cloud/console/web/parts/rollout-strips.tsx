import { RolloutList } from '../rollout/rollout-list.tsx'
import { useWish } from '../use-wish.ts'
import type { RolloutRow } from '../../view-model.ts'

/** Rollouts that are not at their end, on the overview. */
export function RolloutStrips() {
  const list = useWish({
    part: 'list',
    table: 'rollouts',
    query: '-state:completed,completed-with-skips,aborted',
    sort: 'trouble',
    offset: 0,
    limit: 6,
    facets: false,
  })
  if (list === undefined || list.total === 0) return null
  return (
    <section aria-labelledby="rollouts-title">
      <h2 id="rollouts-title">Rollouts in progress</h2>
      <RolloutList rows={list.rows as readonly RolloutRow[]} />
    </section>
  )
}
