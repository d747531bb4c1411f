/** What a gate may measure on the devices of its wave, beside their health. */
import { int, obj, oneOf, quantity, required } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { formatMilli, parseQuantityNano } from '../../protocol/units.ts'

type Unit = 'cpu' | 'bytes' | 'percent' | 'celsius' | 'count'

/** What each is of. `pod…` is the sum over the pods of the release on one device. */
export const READINGS = {
  podCpu: 'cpu',
  podMemory: 'bytes',
  podPids: 'count',
  /** containers that began anew after the device was done, or do not run */
  podRestarts: 'count',
  deviceCpu: 'cpu',
  deviceMemoryPercent: 'percent',
  deviceDiskPercent: 'percent',
  deviceTemperatureC: 'celsius',
} as const satisfies Record<string, Unit>
export type ReadingName = keyof typeof READINGS
const NAMES = Object.keys(READINGS) as readonly ReadingName[]

export const METRIC = obj({
  reading: required(oneOf(...NAMES)),
  /** quantities: 500m CPU, 200Mi, 80 (percent, degrees, how many). One of them or both */
  max: quantity(),
  min: quantity(),
  /** Share: so many percent of the devices must be within. Mean, P95: theirs must be, and of so many percent it must be known */
  aggregate: oneOf('Share', 'Mean', 'P95'),
  percent: int(1, 100),
  /** a device's value is the mean over so many seconds after it was done (or after somebody resumed) */
  forSeconds: int(10, 600),
  /** so long after the last device was done, what is still not known stops the rollout */
  deadlineSeconds: int(1, 7 * 86_400),
})
export type Metric = Infer<typeof METRIC>

/** A metric with nothing left open. Bounds are in the unit of the values: thousandths of a CPU, bytes, percent, degrees, how many. */
export interface FullMetric {
  readonly reading: ReadingName
  readonly max: number
  readonly min: number
  /** `podMemory at most 200Mi` */
  readonly says: string
  readonly aggregate: 'Share' | 'Mean' | 'P95'
  readonly percent: number
  readonly forMs: number
  readonly deadlineMs: number
}

export function fullMetric(metric: Metric): FullMetric {
  const { reading, min, max, aggregate = 'Share', percent = 95, forSeconds = 60, deadlineSeconds = 1800 } = metric
  const bounds = [...(min === undefined ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])]
  return {
    reading,
    max: (max === undefined ? null : inUnit(reading, max)) ?? Infinity,
    min: (min === undefined ? null : inUnit(reading, min)) ?? -Infinity,
    says: `${aggregate === 'Share' ? '' : `${aggregate} of `}${reading} ${bounds.join(' and ')}`,
    aggregate,
    percent,
    forMs: forSeconds * 1000,
    deadlineMs: deadlineSeconds * 1000,
  }
}

/** A value as people write it. */
export function readingText(reading: ReadingName, value: number): string {
  switch (READINGS[reading]) {
    case 'cpu':
      return formatMilli(Math.round(value))
    case 'bytes':
      return value >= 2 ** 20 ? `${round(value / 2 ** 20)}Mi` : `${round(value / 2 ** 10)}Ki`
    default:
      return String(round(value))
  }
}

/** Rules beyond the shape. */
export function metricIssues(metrics: readonly Metric[], path: string): readonly Issue[] {
  return metrics.flatMap((metric, index): readonly Issue[] => {
    const at = `${path}[${index}]`
    if (metrics.findIndex(({ reading }) => reading === metric.reading) < index)
      return [{ path: `${at}.reading`, kind: 'invalid', message: `${metric.reading} is measured twice; give it min and max together` }]
    if (metric.max === undefined && metric.min === undefined) return [{ path: at, kind: 'required', message: 'needs a bound: max, min, or both' }]
    if (metric.aggregate === 'P95' && metric.min !== undefined)
      return [{ path: `${at}.min`, kind: 'invalid', message: 'does not go with P95, the value that 95 % of devices do not exceed; use Share' }]
    const { min, max } = fullMetric(metric)
    if (min > max) return [{ path: `${at}.min`, kind: 'invalid', message: `must not be above max, is ${metric.min} above ${metric.max}` }]
    return (['max', 'min'] as const).flatMap((field): readonly Issue[] => boundIssues(metric.reading, metric[field], `${at}.${field}`))
  })
}

function boundIssues(reading: ReadingName, bound: string | number | undefined, path: string): readonly Issue[] {
  const value = bound === undefined ? null : inUnit(reading, bound)
  const unit = READINGS[reading]
  if (value === null) return []
  if (unit !== 'celsius' && value < 0) return [{ path, kind: 'invalid', message: `must be at least 0, is ${bound}` }]
  if (unit === 'percent' && value > 100) return [{ path, kind: 'invalid', message: `must be at most 100 (percent), is ${bound}` }]
  return []
}

function inUnit(reading: ReadingName, bound: string | number): number | null {
  const nano = parseQuantityNano(String(bound))
  if (nano === null) return null
  return Number(nano) / (READINGS[reading] === 'cpu' ? 1e6 : 1e9)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
