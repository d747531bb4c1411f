/** Counts a session's bytes and tells when they are used up. */
export interface Meter {
  add(bytes: number): void
  total(): number
  /** how many more may pass */
  left(): number
  /** counts up with each add: two equal readings mean that nothing passed between them */
  beats(): number
}

export function createMeter(max: number): Meter {
  let total = 0
  let beats = 0
  return {
    add(bytes) {
      total += bytes
      beats += 1
    },
    total: () => total,
    left: () => Math.max(0, max - total),
    beats: () => beats,
  }
}
