import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { OverrideView } from '../view-model.ts'
import { owner, post, signIn, signInFor, signedIn } from './act.ts'

interface Asked {
  readonly kind: OverrideView['kind']
  readonly uid: string | null
  readonly name: string
}

const TITLES: Readonly<Record<OverrideView['kind'], string>> = {
  restart: 'Restart',
  hold: 'Hold',
  'run-previous': 'Run previous',
  'hold-update': 'Hold updates of',
  'update-now': 'Update now:',
  'safe-mode': 'Safe mode',
}
const MEANS: Readonly<Record<OverrideView['kind'], string>> = {
  restart: 'It is stopped and started once.',
  hold: 'It is stopped and stays so until the hold ends. The cloud sees it.',
  'run-previous': 'The release before runs until this ends, when one is kept here.',
  'hold-update': 'What runs goes on. A new release is fetched, and begun only when this ends.',
  'update-now': 'The new release is begun without waiting for locks and windows.',
  'safe-mode': 'What runs goes on; nothing new from the cloud is applied until this ends.',
}

const asked = signal<Asked | null>(null)

/** Opens the question for one action, after the sign-in when that is needed. */
export function askFor(kind: Asked['kind'], uid: string | null, name: string): void {
  signedIn(() => {
    asked.value = { kind, uid, name }
  })
}

/** All questions of the page. */
export function Dialogs() {
  return (
    <>
      <SignIn />
      <Action />
    </>
  )
}

function SignIn() {
  const [says, setSays] = useState('')
  const open = signInFor.value !== null
  const submit = async (form: HTMLFormElement): Promise<void> => setSays(await signIn(textOf(form, 'pin')))
  return (
    <Ask open={open} title="Sign in" says={says} onClose={() => (signInFor.value = null)} onSubmit={submit} go="Sign in">
      <label>
        PIN of this device
        <input name="pin" type="password" inputMode="numeric" autocomplete="off" required />
      </label>
      <p class="muted small">It is on the label, or printed by: skerry-agent pin</p>
    </Ask>
  )
}

function Action() {
  const [says, setSays] = useState('')
  const action = asked.value
  const kind = action?.kind ?? 'hold'
  const submit = async (form: HTMLFormElement): Promise<void> => {
    if (action === null) return
    owner.value = textOf(form, 'owner')
    const body = { kind, owner: owner.value, reason: textOf(form, 'reason'), minutes: Number(textOf(form, 'minutes') || '10') }
    const told = await post('/api/v1/override', action.uid === null ? body : { ...body, pod: action.uid })
    setSays(told.says)
    if (told.ok) asked.value = null
  }
  return (
    <Ask
      open={action !== null}
      title={`${TITLES[kind]} ${action?.name ?? ''}`}
      says={says}
      onClose={() => (asked.value = null)}
      onSubmit={submit}
      go={TITLES[kind]}
    >
      <p>{MEANS[kind]}</p>
      <label>
        Your name
        <input name="owner" maxLength={200} value={owner.value} autocomplete="name" required />
      </label>
      <label>
        Reason
        <input name="reason" maxLength={200} autocomplete="off" required />
      </label>
      {kind === 'restart' ? null : (
        <label>
          For
          <select name="minutes">
            <option value="60">1 hour</option>
            <option value="240" selected>
              4 hours
            </option>
            <option value="1440">1 day</option>
            <option value="10080">7 days</option>
          </select>
        </label>
      )}
    </Ask>
  )
}

interface AskProps {
  readonly open: boolean
  readonly title: string
  readonly says: string
  readonly go: string
  readonly onClose: () => void
  readonly onSubmit: (form: HTMLFormElement) => Promise<void>
  readonly children: ComponentChildren
}

function Ask({ open, title, says, go, onClose, onSubmit, children }: AskProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = go.replace(/\W/g, '-')
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal()
    if (!open) dialog.current?.close()
  }, [open])
  if (!open) return null
  return (
    <dialog ref={dialog} class="ask" aria-labelledby={id} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void onSubmit(event.currentTarget)
        }}
      >
        <h2 id={id}>{title}</h2>
        {children}
        <p class="says" role="alert">
          {says}
        </p>
        <div class="go">
          <button type="submit">{go}</button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  )
}

function textOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value.trim() : ''
}
