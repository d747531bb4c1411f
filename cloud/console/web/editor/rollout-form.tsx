import { useEffect, useState } from 'preact/hooks'
import type { WorkloadRow } from '../../view-model.ts'
import { useWish } from '../use-wish.ts'
import { fetchObject } from './check.ts'
import { readDraft, withField, withoutWave, withSpan, withWave } from './rollout-draft.ts'
import type { RolloutDraft, Span, WaveDraft } from './rollout-draft.ts'

interface FormProps {
  readonly text: string
  onText(text: string): void
}

/** The usual fields of a Rollout beside its text. Both are the same thing: what is changed here is changed there, and comments stay. */
export function RolloutForm({ text, onText }: FormProps) {
  const draft = readDraft(text)
  if (draft === null) return null
  const set = (...path: readonly (string | number)[]) => {
    return (value: string | number | boolean | undefined): void => onText(withField(text, path, value))
  }
  return (
    <details class="draft" open>
      <summary>As a form</summary>
      <div class="fields">
        <Text label="Name" value={draft.name} onValue={set('metadata', 'name')} />
        <Text label="Namespace" value={draft.namespace} onValue={set('metadata', 'namespace')} />
        <DaemonSet draft={draft} onValue={set('spec', 'release', 0, 'daemonSet')} />
      </div>
      <Images draft={draft} onImage={(container, image) => set('spec', 'release', 0, 'images', container)(image === '' ? undefined : image)} />
      <Waves waves={draft.waves} text={text} onText={onText} />
      <div class="fields">
        <Numeric label="Healthy, % of a wave" value={draft.healthyPercent} most={100} onValue={set('spec', 'gate', 'healthyPercent')} />
        <Numeric label="for, seconds" value={draft.soakSeconds} most={604_800} onValue={set('spec', 'gate', 'soakSeconds')} />
        <Numeric label="Pause when failed, %" value={draft.maxFailurePercent} most={100} onValue={set('spec', 'gate', 'maxFailurePercent')} />
      </div>
    </details>
  )
}

function Text({ label, value, onValue }: { readonly label: string; readonly value: string; onValue(value: string): void }) {
  return (
    <label>
      {label}
      <Typed value={value} onValue={onValue} />
    </label>
  )
}

/** What is being typed stays, whatever comes from the cloud meanwhile; it counts when the field is left. */
function Typed({ value, placeholder = '', onValue }: { readonly value: string; readonly placeholder?: string; onValue(value: string): void }) {
  const [typed, setTyped] = useState<string | null>(null)
  return (
    <input
      value={typed ?? value}
      placeholder={placeholder}
      spellcheck={false}
      autoComplete="off"
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => {
        setTyped(null)
        onValue(event.currentTarget.value.trim())
      }}
    />
  )
}

interface NumericProps {
  readonly label: string
  readonly value: string
  readonly most: number
  onValue(value: number | undefined): void
}

function Numeric({ label, value, most, onValue }: NumericProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        min={0}
        max={most}
        value={value}
        onChange={(event) => onValue(event.currentTarget.value === '' ? undefined : event.currentTarget.valueAsNumber)}
      />
    </label>
  )
}

/** Those of the namespace; one that is not there (yet) can be typed into the text. */
function DaemonSet({ draft, onValue }: { readonly draft: RolloutDraft; onValue(value: string): void }) {
  const query = `kind:DaemonSet namespace:${draft.namespace}`
  const list = useWish({ part: 'list', table: 'workloads', query, sort: 'name', offset: 0, limit: 100, facets: false })
  const names = ((list?.rows ?? []) as readonly WorkloadRow[]).map(({ name }) => name)
  const all = draft.daemonSet === '' || names.includes(draft.daemonSet) ? names : [draft.daemonSet, ...names]
  return (
    <label>
      DaemonSet
      <select value={draft.daemonSet} onChange={(event) => onValue(event.currentTarget.value)}>
        {draft.daemonSet === '' ? <option value="">choose one</option> : null}
        {all.map((name) => (
          <option key={name} value={name}>
            {names.includes(name) ? name : `${name} (is not there)`}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Each container with the image that it has now; empty = it keeps that. */
function Images({ draft, onImage }: { readonly draft: RolloutDraft; onImage(container: string, image: string): void }) {
  const now = useImages(draft.namespace, draft.daemonSet)
  const containers = [...new Set([...Object.keys(now), ...Object.keys(draft.images)])]
  return (
    <div class="fields">
      {containers.map((container) => (
        <label key={container} class="wide">
          Image of {container}
          <Typed
            value={draft.images[container] ?? ''}
            placeholder={now[container] === undefined ? '' : `stays ${now[container]}`}
            onValue={(image) => onImage(container, image)}
          />
          {now[container] === undefined ? null : <small>now {now[container]}</small>}
        </label>
      ))}
    </div>
  )
}

interface WithContainers {
  readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image: string }[] } } }
}

function useImages(namespace: string, daemonSet: string): Readonly<Record<string, string>> {
  const [images, setImages] = useState<Readonly<Record<string, string>>>({})
  useEffect(() => {
    if (daemonSet === '') return setImages({})
    let over = false
    fetchObject(`/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets/${encodeURIComponent(daemonSet)}`)
      .then((object) => {
        const containers = (object as WithContainers | null)?.spec?.template?.spec?.containers ?? []
        if (!over) setImages(Object.fromEntries(containers.map(({ name, image }) => [name, image])))
      })
      .catch(() => undefined)
    return () => {
      over = true
    }
  }, [namespace, daemonSet])
  return images
}

const SPANS: readonly (readonly [Span, string])[] = [
  ['count', 'devices'],
  ['percent', '% of all'],
  ['rest', 'all that are left'],
]

interface WavesProps {
  readonly waves: readonly WaveDraft[]
  readonly text: string
  onText(text: string): void
}

function Waves({ waves, text, onText }: WavesProps) {
  return (
    <fieldset>
      <legend>Waves</legend>
      <ol>
        {waves.map((wave, at) => (
          <li key={at}>
            <WaveFields
              wave={wave}
              number={at + 1}
              onName={(name) => onText(withField(text, ['spec', 'waves', at, 'name'], name))}
              onSpan={(span, amount) => onText(withSpan(text, at, span, amount))}
              onApproval={(on) => onText(withField(text, ['spec', 'waves', at, 'approval'], on ? true : undefined))}
              onRemove={() => onText(withoutWave(text, at))}
            />
          </li>
        ))}
      </ol>
      <button type="button" onClick={() => onText(withWave(text))}>
        Add a wave
      </button>
    </fieldset>
  )
}

interface WaveFieldsProps {
  readonly wave: WaveDraft
  readonly number: number
  onName(name: string): void
  onSpan(span: Span, amount: number): void
  onApproval(on: boolean): void
  onRemove(): void
}

function WaveFields({ wave, number, onName, onSpan, onApproval, onRemove }: WaveFieldsProps) {
  const label = (what: string): string => `${what} of wave ${number}`
  const amount = wave.amount > 0 ? wave.amount : 1
  return (
    <>
      <input aria-label={label('Name')} value={wave.name} onChange={(event) => onName(event.currentTarget.value.trim())} />
      {wave.span === 'other' ? (
        <span class="muted">by selector or names, see the text</span>
      ) : (
        <>
          {wave.span === 'rest' ? null : (
            <input
              type="number"
              class="amount"
              aria-label={label('Size')}
              min={1}
              max={wave.span === 'percent' ? 100 : 1_000_000}
              value={wave.amount}
              onChange={(event) => onSpan(wave.span, event.currentTarget.valueAsNumber || 1)}
            />
          )}
          <select aria-label={label('Measure')} value={wave.span} onChange={(event) => onSpan(event.currentTarget.value as Span, amount)}>
            {SPANS.map(([span, says]) => (
              <option key={span} value={span}>
                {says}
              </option>
            ))}
          </select>
        </>
      )}
      <label class="inline-check">
        <input type="checkbox" checked={wave.approval} onChange={(event) => onApproval(event.currentTarget.checked)} /> waits for approval
      </label>
      <button type="button" class="link" aria-label={`Take out wave ${number}`} onClick={onRemove}>
        Take out
      </button>
    </>
  )
}
