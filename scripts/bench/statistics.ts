export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { min: at(0), median: at(0.5), max: sorted.at(-1) ?? 0 }
}

export function showMs({ min, median, max }: Spread): string {
  return `${median.toFixed(0)} ms (${min.toFixed(0)}..${max.toFixed(0)})`
}
