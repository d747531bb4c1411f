/** The page's one source of data: the event stream while it is visible, a slow poll where the stream is full. */
import { signal } from '@preact/signals'
import { sessionHeaders } from './act.ts'
import type { FieldView } from '../view-model.ts'

const POLL_MS = 10_000

/** null until the first answer */
export const view = signal<FieldView | null>(null)
/** false while the device does not answer: the last picture stays, with its age */
export const inContact = signal(true)
/** true when the device tells nothing without its PIN */
export const isLocked = signal(false)
/** moment of the last message, on this browser's clock */
export const heardAtMs = signal(0)
/** ticks once a second so that ages move */
export const nowMs = signal(Date.now())

/** Device wall clock, as far as this browser can tell: ages never mix two clocks. */
export function deviceNowMs(): number {
  return (view.value?.atMs ?? nowMs.value) + (nowMs.value - heardAtMs.value)
}

/** Connects, and keeps quiet while the page is hidden. */
export function startLive(): void {
  let source: EventSource | null = null
  let poll: ReturnType<typeof setInterval> | undefined

  function stop(): void {
    source?.close()
    source = null
    clearInterval(poll)
  }

  function start(): void {
    stop()
    // a stream cannot carry the session: a page that needs it reads now and then
    if (isLocked.value) return pollNow()
    source = new EventSource('/api/v1/events')
    source.addEventListener('message', (event: MessageEvent<string>) => take(event.data))
    source.addEventListener('error', () => {
      inContact.value = false
      // a refusal ends the stream for good, a lost device does not
      if (source?.readyState === EventSource.CLOSED) pollNow()
    })
    source.addEventListener('full', () => {
      stop()
      pollNow()
    })
  }

  function pollNow(): void {
    clearInterval(poll)
    void read()
    poll = setInterval(() => void read(), POLL_MS)
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()))
  setInterval(() => {
    if (!document.hidden) nowMs.value = Date.now()
  }, 1000)
  start()
}

async function read(): Promise<void> {
  try {
    const response = await fetch('/api/v1/state', { headers: sessionHeaders() })
    if (response.status === 401) {
      isLocked.value = true
      view.value = null
    } else if (response.ok) take(await response.text())
  } catch {
    inContact.value = false
  }
}

function take(json: string): void {
  view.value = JSON.parse(json) as FieldView
  heardAtMs.value = Date.now()
  nowMs.value = heardAtMs.value
  inContact.value = true
}
