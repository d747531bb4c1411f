import { useLocation } from 'preact-iso'
import { withTerm } from '../query.ts'

/** The query, order and view that live in the address: a count links to its members, and a link shows what you see. */
export function useQuery(): {
  readonly q: string
  readonly sort: string
  readonly view: string
  get(name: string): string
  set(name: string, value: string): void
  /** sets `field:value` in the query, or takes it out */
  term(field: string, value: string | null): void
} {
  const { path, query, route } = useLocation()
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(Object.entries({ ...query, [name]: value }).filter(([, given]) => given !== ''))
    route(next.size === 0 ? path : `${path}?${next.toString()}`, true)
  }
  const q = query['q'] ?? ''
  return {
    q,
    sort: query['sort'] ?? '',
    view: query['view'] ?? '',
    get: (name) => query[name] ?? '',
    set,
    term: (field, value) => set('q', withTerm(q, field, value)),
  }
}
