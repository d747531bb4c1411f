import { useEffect, useState } from 'preact/hooks'

const PHONE = '(max-width: 700px)'

/** Is the screen that of a phone? Told again when it is turned or resized. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(PHONE).matches)
  useEffect(() => {
    const media = matchMedia(PHONE)
    const change = (): void => setNarrow(media.matches)
    media.addEventListener('change', change)
    return () => media.removeEventListener('change', change)
  }, [])
  return narrow
}
