import { useQuery } from '../use-query.ts'
import { QueryBox } from '../parts/query-box.tsx'
import { Facets } from '../parts/facets.tsx'
import { RolloutList } from '../rollout/rollout-list.tsx'
import { useWish } from '../use-wish.ts'
import type { RolloutRow } from '../../view-model.ts'

/** Rollouts, the newest first; each as a bar of what became of its devices. */
export function Rollouts() {
  const { q, set, term } = useQuery()
  const list = useWish({ part: 'list', table: 'rollouts', query: q, sort: 'newest', offset: 0, limit: 200, facets: true })
  return (
    <>
      <div class="title">
        <h1>Rollouts</h1>
        <a class="button" href="/console/apply?new=rollout">
          New rollout
        </a>
      </div>
      <QueryBox
        q={q}
        what="rollout"
        example="state:paused failed>0 text"
        shown={list?.total}
        of={list?.of}
        issues={list?.issues ?? []}
        onQuery={(text) => set('q', text)}
      />
      <div class="listing">
        <Facets facets={list?.facets ?? []} q={q} onTerm={term} />
        <div class="listed">
          {list === undefined ? <p role="status">Loading…</p> : null}
          {list?.total === 0 ? (
            <p class="empty">
              {list.of === 0
                ? 'No rollout has been made yet. A rollout takes a change of a DaemonSet over the fleet in waves.'
                : 'No rollout matches.'}
            </p>
          ) : null}
          <RolloutList rows={(list?.rows ?? []) as readonly RolloutRow[]} />
        </div>
      </div>
    </>
  )
}
