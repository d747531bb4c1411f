import { useState } from 'preact/hooks'
import type { RolloutPart } from '../../rollout-view.ts'
import { Confirm } from './action-bar.tsx'
import { excludeAndResume } from './actions.ts'
import type { RolloutAction } from './actions.ts'
import { fetchMembers } from './fetch-members.ts'
import { plural } from '../words.ts'

interface FailuresProps {
  readonly part: RolloutPart
  readonly path: string
  onShow(code: string): void
}

/** What failed, grouped: the same cause is decided about once. */
export function Failures({ part, path, onShow }: FailuresProps) {
  const [asked, setAsked] = useState<RolloutAction | null>(null)
  const [trouble, setTrouble] = useState('')
  const exclude = async (code: string): Promise<void> => {
    try {
      const { items } = await fetchMembers(path, { verdict: 'failed,rolledBackByDevice', cause: code, limit: '10000' })
      setAsked(excludeAndResume(items.map((one) => one.node)))
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
  }
  if (part.failures.length === 0) return <p class="muted">None.</p>
  return (
    <>
      {trouble === '' ? null : <p role="alert">{trouble}</p>}
      {part.failures.map(({ code, sentence, count, examples, next }) => (
        <article class="failure" key={`${code} ${sentence}`}>
          <p class="cause-says">
            {plural(count, 'device')}: {sentence}
          </p>
          <p class="muted">
            <code>{code}</code> ·{' '}
            {examples.slice(0, 3).map((name, at) => (
              <span key={name}>
                {at === 0 ? '' : ', '}
                <a href={`/console/devices/${name}`}>{name}</a>
              </span>
            ))}
          </p>
          {next === '' ? null : (
            <p class="do">
              <b>Do this</b> {next}
            </p>
          )}
          <p class="actions">
            <button type="button" onClick={() => void exclude(code)}>
              Exclude this group and resume
            </button>
            <button type="button" class="link" onClick={() => onShow(code)}>
              Show members
            </button>
          </p>
        </article>
      ))}
      {asked === null ? null : <Confirm action={asked} path={path} onClose={() => setAsked(null)} />}
    </>
  )
}
