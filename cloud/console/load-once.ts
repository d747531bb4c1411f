/** Something that is made when first needed, and made anew after it said that it is no longer good. */

export interface Remembered<T> {
  get(): Promise<T>
  /** null while there is none */
  now(): T | null
  close(): void
}

export function rememberLast<T>(make: (expired: () => void) => Promise<T>, end: (old: T) => void): Remembered<T> {
  let coming: Promise<T> | null = null
  let here: T | null = null
  const forget = (): void => {
    if (here !== null) end(here)
    here = null
    coming = null
  }
  return {
    async get() {
      coming ??= make(forget)
      try {
        here = await coming
        return here
      } catch (error) {
        coming = null
        throw error
      }
    },
    now: () => here,
    close: forget,
  }
}
