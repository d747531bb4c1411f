import { useLocation } from 'preact-iso'

/** A text filter and a state choice that live in the address, so that a count can link to its members. */
export function useFilter(): { readonly text: string; readonly state: string; readonly set: (name: 'q' | 'state', value: string) => void } {
  const { path, query, route } = useLocation()
  return {
    text: query['q'] ?? '',
    state: query['state'] ?? '',
    set(name, value) {
      const next = new URLSearchParams(Object.entries({ ...query, [name]: value }).filter(([, given]) => given !== ''))
      route(next.size === 0 ? path : `${path}?${next.toString()}`, true)
    },
  }
}

interface FilterBarProps {
  readonly what: string
  readonly states: readonly string[]
  readonly shown: number
  readonly total: number
}

export function FilterBar({ what, states, shown, total }: FilterBarProps) {
  const { text, state, set } = useFilter()
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Find <input type="search" value={text} onInput={(event) => set('q', event.currentTarget.value)} placeholder={`name of a ${what}`} />
      </label>
      <label>
        State{' '}
        <select value={state} onChange={(event) => set('state', event.currentTarget.value)}>
          <option value="">any</option>
          {states.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <span class="muted" role="status">
        {shown === total ? `${total}` : `${shown} of ${total}`}
      </span>
    </form>
  )
}
