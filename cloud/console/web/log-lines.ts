/** Logs of pods as they come, all over one connection. */
import { useEffect, useState } from 'preact/hooks'
import { textOf } from './event-stream.ts'
import { call } from './session.ts'

/** Lines kept in the page; older ones go. */
const MOST_LINES = 5000

export interface LogLine {
  /** `<namespace>/<name>` */
  readonly pod: string
  readonly text: string
}

export interface LogsSeen {
  readonly lines: readonly LogLine[]
  /** why there is no log (any more), by pod */
  readonly said: Readonly<Record<string, string>>
  readonly state: 'asking' | 'live' | 'ended' | 'lost'
}

interface Told {
  readonly pod: string
  readonly lines?: readonly string[]
  readonly says?: string
  readonly failed?: boolean
}

const NOTHING: LogsSeen = { lines: [], said: {}, state: 'asking' }

/** @param container '' = the only one, or the one that the pod names */
export function useLogs(pods: readonly string[], container: string, paused: boolean): LogsSeen {
  const [seen, setSeen] = useState<LogsSeen>(NOTHING)
  useEffect(() => {
    if (paused || pods.length === 0) return undefined
    const stop = new AbortController()
    setSeen(NOTHING)
    const query = new URLSearchParams([...pods.map((pod) => ['pod', pod]), ['follow', 'true'], ['tailLines', pods.length > 1 ? '100' : '500']])
    if (container !== '') query.set('container', container)
    follow(`/skerry/v1/logs?${query.toString()}`, stop.signal, (told) => setSeen((before) => after(before, told)))
      .then(() => setSeen((before) => ({ ...before, state: 'ended' })))
      .catch(() => (stop.signal.aborted ? undefined : setSeen((before) => ({ ...before, state: 'lost' }))))
    return () => stop.abort()
  }, [pods.join(), container, paused])
  return seen
}

function after({ lines, said, state }: LogsSeen, told: readonly Told[]): LogsSeen {
  const fresh = told.flatMap(({ pod, lines: texts = [] }) => texts.map((text) => ({ pod, text })))
  const ends = told.flatMap(({ pod, says }) => (says === undefined ? [] : [[pod, says] as const]))
  return {
    lines: [...lines, ...fresh].slice(-MOST_LINES),
    said: { ...said, ...Object.fromEntries(ends) },
    state: fresh.length > 0 ? 'live' : state,
  }
}

async function follow(path: string, abort: AbortSignal, onTold: (told: readonly Told[]) => void): Promise<void> {
  const response = await call(path, {}, abort)
  if (!response.ok || response.body === null) throw new Error(`the cloud answered ${response.status}`)
  const reader = textOf(response.body)
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const pieces = (rest + value).split('\n')
    rest = pieces.pop() ?? ''
    if (pieces.length > 0) onTold(pieces.map((piece) => JSON.parse(piece) as Told))
  }
}
