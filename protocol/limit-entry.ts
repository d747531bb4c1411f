/** One cap with its reason. */
export interface Limit {
  readonly value: number
  readonly unit: 'bytes' | 'ms' | 'count'
  readonly why: string
}

export const limit = (value: number, unit: Limit['unit'], why: string): Limit => ({ value, unit, why })
