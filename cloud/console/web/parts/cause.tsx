import type { CauseView } from '../../view-model.ts'

/** Why, and the one thing to do. */
export function Cause({ cause }: { readonly cause: CauseView | null }) {
  if (cause === null) return null
  return (
    <div class="cause">
      {cause.says === '' ? null : <p>{cause.says}</p>}
      {cause.next === '' ? null : (
        <p class="do">
          <b>Do this</b> {cause.next}
        </p>
      )}
      {cause.code === '' ? null : <code>{cause.code}</code>}
    </div>
  )
}
