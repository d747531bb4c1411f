import type { RolloutRow } from '../../view-model.ts'
import { Age } from '../parts/age.tsx'
import { Word } from '../parts/mark.tsx'
import { VerdictBar, countsText } from './wave-strip.tsx'

/** Each rollout as a sentence and a bar of what became of its devices. */
export function RolloutList({ rows }: { readonly rows: readonly RolloutRow[] }) {
  return (
    <ul class="rollouts">
      {rows.map((row) => (
        <li key={row.key}>
          <p class="rollout-head">
            <a href={`/console/rollouts/${row.key}`}>{row.name}</a> <Word tone={row.tone}>{row.word}</Word>
            <span class="muted">
              {row.namespace}, <Age at={row.createdAtMs} /> old
            </span>
          </p>
          <p>{row.says}</p>
          <VerdictBar counts={row.counts} />
          <p class="muted">{countsText(row.counts)}</p>
        </li>
      ))}
    </ul>
  )
}
