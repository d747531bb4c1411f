/** maxSurge and maxUnavailable: a count, or a percentage of the replicas. */
import type { Issue } from '../../protocol/shape.ts'

const PERCENT = /^(\d{1,5})%$/

/** Pods that the amount means of `total`; percentages are rounded up for surge and down for unavailable, as in Kubernetes. */
export function resolveAmount(amount: number | string, total: number, round: 'up' | 'down'): number {
  if (typeof amount === 'number') return amount
  const percent = Number(PERCENT.exec(amount)?.[1] ?? 0)
  const exact = (percent * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}

/** A count of at least 0 or a percentage; `atMost100` for amounts of what exists. */
export function amountIssues(amount: number | string | undefined, path: string, atMost100: boolean): readonly Issue[] {
  if (amount === undefined) return []
  if (typeof amount === 'number') return amount >= 0 ? [] : [{ path, kind: 'invalid', message: `must be at least 0, is ${amount}` }]
  const percent = PERCENT.exec(amount)?.[1]
  if (percent === undefined)
    return [{ path, kind: 'invalid', message: `${JSON.stringify(amount)} must be a whole number or a percentage such as "25%"` }]
  return atMost100 && Number(percent) > 100 ? [{ path, kind: 'invalid', message: `must be at most 100%, is ${amount}` }] : []
}

/** True for 0 and `0%`. */
export function isZeroAmount(amount: number | string | undefined): boolean {
  return amount === 0 || (typeof amount === 'string' && Number(PERCENT.exec(amount)?.[1] ?? 1) === 0)
}
