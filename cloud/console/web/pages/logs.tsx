import { useRoute } from 'preact-iso'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { textOf } from '../event-stream.ts'
import { call } from '../session.ts'
import { plural } from '../words.ts'

/** Lines kept in the page; older ones go. */
const MOST_LINES = 5000

/** The log of one pod, live: the device sends it while somebody looks. */
export function Logs() {
  const { namespace = '', name = '' } = useRoute().params
  const [find, setFind] = useState('')
  const [only, setOnly] = useState(true)
  const [paused, setPaused] = useState(false)
  const { lines, state } = useLog(namespace, name, paused)
  const shown = useMemo(() => (find === '' || !only ? lines : lines.filter((line) => line.includes(find))), [lines, find, only])
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!paused) end.current?.scrollIntoView({ block: 'nearest' })
  }, [shown, paused])
  return (
    <>
      <p class="crumb">
        <a href={`/console/why/${namespace}/${name}`}>{`${namespace}/${name}`}</a>
      </p>
      <h1>Log of {name}</h1>
      <div class="log-bar">
        <input
          type="search"
          data-search
          aria-label="Find in the log"
          placeholder="find"
          value={find}
          onInput={(event) => setFind(event.currentTarget.value)}
        />
        <label>
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} /> only matches
        </label>
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <span class="muted" role="status">
          {state} {find === '' ? plural(lines.length, 'line') : `${shown.length} of ${plural(lines.length, 'line')}`}
        </span>
      </div>
      <div class="log" tabIndex={0} role="region" aria-label="Log lines">
        {shown.map((line, at) => (
          <div key={at}>{find === '' ? line : marked(line, find)}</div>
        ))}
        <div ref={end} />
      </div>
    </>
  )
}

function marked(line: string, find: string) {
  return line.split(find).flatMap((part, at) => (at === 0 ? [part] : [<mark key={at}>{find}</mark>, part]))
}

function useLog(namespace: string, name: string, paused: boolean): { readonly lines: readonly string[]; readonly state: string } {
  const [lines, setLines] = useState<readonly string[]>([])
  const [state, setState] = useState('Asking the device…')
  useEffect(() => {
    if (paused) return undefined
    const stop = new AbortController()
    setLines([])
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log?follow=true&tailLines=500`
    readLog(path, stop.signal, (fresh) => {
      setState('Live.')
      setLines((before) => [...before, ...fresh].slice(-MOST_LINES))
    })
      .then(() => setState('The log has ended.'))
      .catch((error: unknown) => (stop.signal.aborted ? undefined : setState(`No log: ${error instanceof Error ? error.message : String(error)}`)))
    return () => stop.abort()
  }, [namespace, name, paused])
  return { lines, state }
}

async function readLog(path: string, abort: AbortSignal, onLines: (lines: readonly string[]) => void): Promise<void> {
  const response = await call(path, {}, abort)
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { readonly message?: string } | null
    throw new Error(said?.message ?? `the cloud answered ${response.status}`)
  }
  const reader = response.body === null ? null : textOf(response.body)
  let rest = ''
  for (;;) {
    const chunk = await reader?.read()
    if (chunk?.value === undefined) break
    const pieces = (rest + chunk.value).split('\n')
    rest = pieces.pop() ?? ''
    if (pieces.length > 0) onLines(pieces)
  }
  if (rest !== '') onLines([rest])
}
