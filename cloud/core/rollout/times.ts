/** Moments in order, and how many of them are over. */
export type Times = readonly number[]

export function timesOf(times: readonly number[]): Times {
  return times.toSorted((a, b) => a - b)
}

/** How many are not after it. */
export function until(times: Times, atMs: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
