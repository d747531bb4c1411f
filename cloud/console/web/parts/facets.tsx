import { termOf } from '../../query.ts'
import type { FacetCount } from '../../row-view.ts'
import { grouped } from '../words.ts'

interface FacetsProps {
  /** undefined = not told yet: the place is kept free */
  readonly facets: readonly FacetCount[] | undefined
  readonly q: string
  onTerm(field: string, value: string | null): void
}

/** What the found rows are, counted; a click narrows to one value, a second one takes it back. */
export function Facets({ facets, q, onTerm }: FacetsProps) {
  if (facets === undefined) return <div class="facets" />
  const shown = facets.filter(({ field, values }) => values.length > 1 || termOf(q, field) !== '')
  if (shown.length === 0) return null
  return (
    <div class="facets" role="group" aria-label="Narrow down">
      {shown.map(({ field, values }) => {
        const chosen = termOf(q, field)
        return (
          <details key={field} open={field === 'state'}>
            <summary>{labelOf(field)}</summary>
            <ul>
              {values.map(({ value, count }) => (
                <li key={value}>
                  <button type="button" aria-pressed={chosen === value} onClick={() => onTerm(field, chosen === value ? null : value)}>
                    <span>{value}</span> <span class="count">{grouped(count)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </details>
        )
      })}
    </div>
  )
}

/** `topology.kubernetes.io/zone` -> `zone` */
export function labelOf(key: string): string {
  return key.split('/').at(-1) ?? key
}
