import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { sessionHeaders, signedIn } from './act.ts'
import { view } from './live.ts'
import { plainLog } from './words.ts'

interface OpenLog {
  readonly target: string
  readonly title: string
}

const opened = signal<OpenLog | null>(null)
const text = signal('')
const lines = signal(200)

/** Shows the last lines of one container, or of the agent itself (`agent`). */
export function openLog(target: string, title: string): void {
  const open = (): void => {
    opened.value = { target, title }
    void load()
  }
  if (view.value?.canAct === true) signedIn(open)
  else open()
}

/** The log window: a native dialog, so that Escape and focus work as everywhere. */
export function LogDialog() {
  const dialog = useRef<HTMLDialogElement>(null)
  const end = useRef<HTMLPreElement>(null)
  const open = opened.value
  const shown = text.value
  useEffect(() => {
    if (open !== null && dialog.current?.open === false) dialog.current.showModal()
  }, [open])
  useEffect(() => end.current?.scrollTo(0, end.current.scrollHeight), [shown])
  return (
    <dialog
      ref={dialog}
      class="log"
      aria-labelledby="log-title"
      onClose={() => {
        opened.value = null
      }}
    >
      <div class="log-bar">
        <h2 id="log-title">Log of {open?.title}</h2>
        <label>
          Lines{' '}
          <select
            value={lines.value}
            onChange={(event) => {
              lines.value = Number(event.currentTarget.value)
              void load()
            }}
          >
            {[50, 200, 500].map((count) => (
              <option key={count} value={count}>
                {count}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => void load()}>
          Refresh
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <pre ref={end} tabIndex={0} aria-label="Log lines">
        {shown}
      </pre>
    </dialog>
  )
}

async function load(): Promise<void> {
  const log = opened.value
  if (log === null) return
  text.value = 'Reading…'
  let answer: string
  try {
    answer = plainLog(
      await (await fetch(`/api/v1/logs?container=${encodeURIComponent(log.target)}&lines=${lines.value}`, { headers: sessionHeaders() })).text(),
    )
  } catch {
    answer = 'The device did not answer.'
  }
  if (opened.value === log) text.value = answer.trim() === '' ? 'Nothing has been written.' : answer
}
