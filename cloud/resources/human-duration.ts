/** Ages as kubectl prints them: the same rounding as apimachinery's `duration.HumanDuration`. */
import { parseStamp } from '../../protocol/stamp.ts'

/** Milliseconds as `5s`, `3m20s`, `4h5m`, `2d3h`, `400d`, `3y12d`; `<invalid>` when clearly in the future. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  // clocks may differ by less than two seconds
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 192) return twoUnits(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.trunc(days / 365)
  return days < 2920 ? twoUnits(years, 'y', days % 365, 'd') : `${years}y`
}

/** Time since an RFC 3339 stamp, `<unknown>` when there is none. */
export function ageOf(stamp: string | undefined, nowMs: number): string {
  const at = stamp === undefined ? Number.NaN : parseStamp(stamp)
  return Number.isNaN(at) ? '<unknown>' : humanDuration(nowMs - at)
}

function twoUnits(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first}${firstUnit}` : `${first}${firstUnit}${second}${secondUnit}`
}
