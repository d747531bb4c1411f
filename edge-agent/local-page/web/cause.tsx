import type { CauseView } from '../view-model.ts'
import { deviceNowMs } from './live.ts'
import { duration } from './words.ts'

/** Why, whether waiting helps, and the one thing to do. */
export function Cause({ cause }: { readonly cause: CauseView | null }) {
  if (cause === null) return null
  return (
    <div class="cause">
      <p>{cause.says}</p>
      <p class="do">
        <b>Do this</b> {cause.next}
      </p>
      <p class="muted small">
        {nextTry(cause) ?? cause.waiting} <code>{cause.code}</code>
      </p>
    </div>
  )
}

function nextTry(cause: CauseView): string | null {
  if (cause.nextTryAtMs === null) return null
  const left = cause.nextTryAtMs - deviceNowMs()
  return left > 500 ? `Next try in ${duration(left)}.` : 'Trying again now.'
}
