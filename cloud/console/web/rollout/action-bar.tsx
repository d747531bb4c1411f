import { useRef, useState } from 'preact/hooks'
import { send } from '../api-write.ts'
import type { RolloutAction } from './actions.ts'

interface ActionBarProps {
  readonly actions: readonly RolloutAction[]
  /** path of the rollout in the API */
  readonly path: string
}

/** Buttons in a fixed order; one that cannot be used says why. Each asks once more, with its effect in numbers and for a reason. */
export function ActionBar({ actions, path }: ActionBarProps) {
  const [asked, setAsked] = useState<RolloutAction | null>(null)
  return (
    <>
      <ul class="action-bar" aria-label="Decisions">
        {actions.map((action) => (
          <li key={action.label}>
            <button
              type="button"
              class={action.grave ? 'grave' : ''}
              disabled={action.whyNot !== ''}
              title={action.whyNot}
              aria-describedby={action.whyNot === '' ? undefined : idOf(action)}
              onClick={() => setAsked(action)}
            >
              {action.label}
            </button>
            {action.whyNot === '' ? null : (
              <span class="hidden" id={idOf(action)}>
                {action.whyNot}
              </span>
            )}
          </li>
        ))}
      </ul>
      {asked === null ? null : <Confirm key={asked.label} action={asked} path={path} onClose={() => setAsked(null)} />}
    </>
  )
}

function idOf(action: RolloutAction): string {
  return `why-not-${action.label.toLowerCase().replaceAll(' ', '-')}`
}

interface ConfirmProps {
  readonly action: RolloutAction
  readonly path: string
  onClose(): void
}

/** Says what will happen and wants a reason; both are kept with the rollout. */
export function Confirm({ action, path, onClose }: ConfirmProps) {
  const [reason, setReason] = useState('')
  const [state, setState] = useState('')
  const opened = useRef(false)
  const confirm = async (): Promise<void> => {
    setState('Sending…')
    const failure = await send('POST', `${path}/actions`, { ...action.body, reason: reason.trim() })
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
      <h2 id="confirm-title">{action.label}</h2>
      <p class="lead">{action.effect}</p>
      <form
        class="confirm"
        onSubmit={(event) => {
          event.preventDefault()
          void confirm()
        }}
      >
        <label>
          Why? It is kept in the log of decisions.
          <input value={reason} required minLength={3} maxLength={1000} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {state === '' ? null : <p role="status">{state}</p>}
        <div class="confirm-buttons">
          <button type="submit" class={action.grave ? 'grave' : 'main'} disabled={reason.trim().length < 3}>
            {action.label}
          </button>
          <button type="button" onClick={onClose}>
            Not now
          </button>
        </div>
      </form>
    </dialog>
  )
}
