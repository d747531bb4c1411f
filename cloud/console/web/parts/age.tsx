import { nowMs } from '../live-store.ts'
import { duration } from '../words.ts'

/** How long ago, moving. */
export function Age({ at, none = '–' }: { readonly at: number | null; readonly none?: string }) {
  if (at === null) return <>{none}</>
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
      {duration(nowMs.value - at)}
    </time>
  )
}
