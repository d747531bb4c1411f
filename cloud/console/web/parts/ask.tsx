import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { SameInShell, quoted } from './same-in-shell.tsx'

interface AskProps {
  readonly title: string
  /** what will happen, in numbers where there are any */
  readonly effect: string
  readonly grave: boolean
  /** where the reason is kept */
  readonly kept: string
  readonly children?: ComponentChildren
  /** the command that does it, without its reason; `--reason` is added where it takes one */
  readonly shell?: { readonly command: string; readonly takesReason: boolean } | undefined
  /** null = done; else the sentence that says why not */
  act(reason: string): Promise<string | null>
  onClose(): void
}

/** Asks once more before something is done: says what will happen and wants a reason. */
export function Ask({ title, effect, grave, kept, children, shell, act, onClose }: AskProps) {
  const [reason, setReason] = useState('')
  const [state, setState] = useState('')
  const opened = useRef(false)
  const confirm = async (): Promise<void> => {
    setState('Sending…')
    const failure = await act(reason.trim())
    if (failure === null) onClose()
    else setState(failure)
  }
  return (
    <dialog
      aria-labelledby="confirm-title"
      ref={(element) => {
        if (element === null || opened.current) return
        opened.current = true
        element.showModal()
      }}
      onClose={onClose}
    >
      <h2 id="confirm-title">{title}</h2>
      <p class="lead">{effect}</p>
      <form
        class="confirm"
        onSubmit={(event) => {
          event.preventDefault()
          void confirm()
        }}
      >
        {children}
        <label>
          Why? {kept}
          <input value={reason} required minLength={3} maxLength={1000} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {state === '' ? null : <p role="status">{state}</p>}
        <div class="confirm-buttons">
          <button type="submit" class={grave ? 'grave' : 'main'} disabled={reason.trim().length < 3 || state === 'Sending…'}>
            {title}
          </button>
          <button type="button" onClick={onClose}>
            Not now
          </button>
        </div>
      </form>
      {shell === undefined ? null : (
        <SameInShell command={shell.takesReason ? `${shell.command} --reason ${quoted(reason.trim() || '…')}` : shell.command} />
      )}
    </dialog>
  )
}
