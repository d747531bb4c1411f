/** Wall clock milliseconds -> RFC 3339 in UTC, for people. Written out because the core takes no clock, not even a calendar. */

const DAY_MS = 86_400_000

/** `0` -> `1970-01-01T00:00:00Z`. Years before 0 or after 9999 are shown as the nearest of these. */
export function rfc3339(wallMs: number): string {
  const ms = Number.isFinite(wallMs) ? Math.min(Math.max(Math.floor(wallMs), -62_167_219_200_000), 253_402_300_799_999) : 0
  const days = Math.floor(ms / DAY_MS)
  const seconds = Math.floor((ms - days * DAY_MS) / 1000)
  const { year, month, day } = civil(days)
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => digits(part, 2)).join(':')
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T${time}Z`
}

/** Proleptic Gregorian calendar from days since 1970-01-01, in 400-year eras that begin on 1 March. */
function civil(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1 }
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
