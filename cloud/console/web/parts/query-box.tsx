import { useEffect, useRef, useState } from 'preact/hooks'
import { grouped, plural } from '../words.ts'

interface QueryBoxProps {
  readonly q: string
  readonly what: string
  readonly example: string
  readonly shown: number | undefined
  readonly of: number | undefined
  readonly issues: readonly string[]
  onQuery(q: string): void
}

/** Typing waits this long before the question is asked. */
const PAUSE_MS = 200

/** The question a list answers, as text: the same text works in the address and in the API. */
export function QueryBox({ q, what, example, shown, of, issues, onQuery }: QueryBoxProps) {
  const [text, setText] = useState(q)
  // what was asked last: it comes back as `q` when more may be typed already, and must not take that away
  const asked = useRef(q)
  const ask = (next: string): void => {
    asked.current = next
    onQuery(next)
  }
  useEffect(() => {
    if (q === asked.current) return
    asked.current = q
    setText(q)
  }, [q])
  useEffect(() => {
    if (text === asked.current) return undefined
    const timer = setTimeout(() => ask(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <form
      class="query"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        ask(text)
      }}
    >
      <input
        type="search"
        aria-label={`Filter ${what}s`}
        data-search
        value={text}
        placeholder={example}
        spellcheck={false}
        autoComplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <span class="query-count" role="status">
        {shown === undefined || of === undefined ? '' : shown === of ? plural(of, what) : `${plural(shown, what)} of ${grouped(of)}`}
      </span>
      {issues.length === 0 ? null : (
        <p class="bad" role="alert">
          {issues.join(' ')}
        </p>
      )}
    </form>
  )
}
