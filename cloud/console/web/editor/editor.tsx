import { useRef, useState } from 'preact/hooks'
import { applyOne, checkText } from './check.ts'
import type { Opened, Outcome } from './check.ts'
import { Outcomes } from './outcomes.tsx'
import { RolloutForm } from './rollout-form.tsx'

interface EditorProps {
  readonly start: string
  readonly opened: Opened
}

/** Text, then what it would do as the cloud itself says, then the deed. Nothing is applied that was not shown. */
export function Editor({ start, opened }: EditorProps) {
  const [text, setText] = useState(start)
  const [checked, setChecked] = useState<{ readonly text: string; readonly outcomes: readonly Outcome[] } | null>(null)
  const [state, setState] = useState('')
  const area = useRef<HTMLTextAreaElement>(null)
  const current = checked?.text === text ? checked.outcomes : null
  const doing = (current ?? []).filter((one) => one.what === 'create' || one.what === 'change')
  const ready = current !== null && doing.length > 0 && current.every((one) => one.what !== 'refused')
  const check = async (): Promise<void> => {
    setState('The cloud checks it…')
    try {
      setChecked({ text, outcomes: await checkText(text, opened) })
      setState('')
    } catch (error) {
      setState(`It could not be checked: ${error instanceof Error ? error.message : String(error)}.`)
    }
  }
  const apply = async (): Promise<void> => {
    setState('Applying…')
    for (const one of doing) {
      const failure = one.manifest === null ? null : await applyOne(one.manifest, one, opened)
      if (failure !== null) return setState(`${one.label}: ${failure}`)
    }
    setChecked(null)
    setState(`Applied: ${doing.map((one) => one.label).join(', ')}.`)
  }
  return (
    <div class="editor">
      <div>
        {opened === null ? <RolloutForm text={text} onText={setText} /> : null}
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void check()
          }}
        >
          <label for="manifest">Manifest (YAML; several objects are separated by ---)</label>
          <textarea
            id="manifest"
            ref={area}
            value={text}
            spellcheck={false}
            autocapitalize="off"
            autoComplete="off"
            wrap="off"
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void check()
            }}
          />
          <p class="editor-actions">
            <button type="submit" class={ready ? '' : 'main'}>
              Check
            </button>
            <button type="button" class={ready ? 'main' : ''} disabled={!ready} onClick={() => void apply()}>
              {doing.length === 0 ? 'Apply' : `Apply ${doing.length === 1 ? 'one change' : `${doing.length} changes`}`}
            </button>
            <span class="muted keys-only">Ctrl+Enter checks</span>
          </p>
          <p role="status">{state === '' && checked !== null && current === null ? 'The text has changed: check it again.' : state}</p>
        </form>
      </div>
      <Shown outcomes={current} onLine={(line) => toLine(area.current, line)} />
    </div>
  )
}

function Shown({ outcomes, onLine }: { readonly outcomes: readonly Outcome[] | null; onLine(line: number): void }) {
  return (
    <section aria-labelledby="outcomes-title" tabIndex={0}>
      <h2 id="outcomes-title">What it would do</h2>
      {outcomes === null ? (
        <p class="muted">Check it: the cloud validates every field and shows the difference. Nothing changes until you apply it.</p>
      ) : (
        <Outcomes outcomes={outcomes} onLine={onLine} />
      )}
    </section>
  )
}

function toLine(area: HTMLTextAreaElement | null, line: number): void {
  if (area === null) return
  const before = area.value
    .split('\n')
    .slice(0, line - 1)
    .join('\n')
  const from = before.length + (line > 1 ? 1 : 0)
  const end = area.value.indexOf('\n', from)
  area.focus()
  area.setSelectionRange(from, end < 0 ? area.value.length : end)
  area.scrollTop = Math.max(0, (line - 5) * 20)
}
