/** The page's one source of data: the event stream while it is visible, a slow poll where the stream is full. */
import { signal } from '@preact/signals'
import type { FieldView } from '../view-model.ts'

const POLL_MS = 10_000

/** null until the first answer */
export const view = signal<FieldView | null>(null)
/** false while the device does not answer: the last picture stays, with its age */
export const inContact = signal(true)
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
    source = new EventSource('/api/v1/events')
    source.addEventListener('message', (event: MessageEvent<string>) => take(event.data))
    source.addEventListener('error', () => {
      inContact.value = false
    })
    source.addEventListener('full', () => {
      stop()
      void read()
      poll = setInterval(() => void read(), POLL_MS)
    })
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()))
  setInterval(() => {
    if (!document.hidden) nowMs.value = Date.now()
  }, 1000)
  start()
}

async function read(): Promise<void> {
  try {
    take(await (await fetch('/api/v1/state')).text())
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
