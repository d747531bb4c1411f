import { Word } from '../parts/mark.tsx'
import type { Outcome } from './check.ts'
import { Plan } from './plan.tsx'

const TONES = { create: 'busy', change: 'busy', nothing: 'ok', refused: 'bad' } as const

/** What the text would do, object by object: a difference, or what is wrong and where. */
export function Outcomes({ outcomes, onLine }: { readonly outcomes: readonly Outcome[]; onLine(line: number): void }) {
  return (
    <ul class="outcomes">
      {outcomes.map((one) => (
        <li key={one.label}>
          <p>
            <Word tone={TONES[one.what]}>{one.what === 'nothing' ? 'no change' : one.what}</Word> <b>{one.label}</b>{' '}
            {one.what === 'refused' ? '' : one.says}
          </p>
          {one.what === 'refused' && one.faults.length === 0 ? <p>{one.says}</p> : null}
          {one.faults.length === 0 ? null : (
            <ul class="faults">
              {one.faults.map((fault) => (
                <li key={`${fault.field} ${fault.message}`}>
                  <button type="button" class="link" onClick={() => onLine(fault.line)}>
                    line {fault.line}
                  </button>{' '}
                  <code>{fault.field}</code> {fault.message}
                </li>
              ))}
            </ul>
          )}
          {one.plan === null ? null : <Plan plan={one.plan} />}
          {one.diff.length === 0 ? null : (
            <pre class="diff" tabIndex={0} aria-label={`Difference of ${one.label}`}>
              {one.diff.map((line, at) => (
                <span key={at} class={line.mark === '+' ? 'add' : line.mark === '-' ? 'take' : ''}>
                  {line.mark} {line.text}
                </span>
              ))}
            </pre>
          )}
        </li>
      ))}
    </ul>
  )
}
