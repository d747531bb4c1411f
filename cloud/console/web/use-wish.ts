import { useEffect, useRef } from 'preact/hooks'
import type { Wish } from '../live-protocol.ts'
import { openWish } from './live-store.ts'
import type { Seen } from './live-store.ts'

/** What the cloud says to a wish, as long as the component is on the page. undefined = not told yet. */
export function useWish<W extends Wish>(wish: W): Seen<W['part']> | undefined {
  const place = useRef<ReturnType<typeof openWish<W>> | null>(null)
  place.current ??= openWish(wish)
  place.current.change(wish)
  useEffect(
    () => () => {
      place.current?.release()
      place.current = null
    },
    [],
  )
  return place.current.seen.value
}
