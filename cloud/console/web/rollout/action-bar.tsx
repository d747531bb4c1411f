import { useState } from 'preact/hooks'
import { send } from '../api-write.ts'
import { Ask } from '../parts/ask.tsx'
import { shellOf } from './actions.ts'
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

/** Both the reason and what was decided are kept with the rollout. */
export function Confirm({ action, path, onClose }: ConfirmProps) {
  return (
    <Ask
      title={action.label}
      effect={action.effect}
      grave={action.grave}
      kept="It is kept in the log of decisions."
      shell={shellOf(action, path)}
      act={(reason) => send('POST', `${path}/actions`, { ...action.body, reason })}
      onClose={onClose}
    />
  )
}
