/** Days and time zones as numbers: what a schedule needs of a calendar. Pure: the zone's rules come with the runtime. */

export interface Day {
  readonly month: number
  readonly dayOfMonth: number
  /** 0 = Sunday */
  readonly dayOfWeek: number
}

/** Days from 1970-01-01 in the Gregorian calendar; March starts the year so that leap days fall at its end. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** The day that is `days` after 1970-01-01. */
export function dayOf(days: number): Day {
  const shifted = days + 719_468
  const dayOfEra = shifted - Math.floor(shifted / 146_097) * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  return {
    month: fromMarch < 10 ? fromMarch + 3 : fromMarch - 9,
    dayOfMonth: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    dayOfWeek: (((days + 4) % 7) + 7) % 7,
  }
}

export interface Zone {
  /** local time minus UTC at that instant, in milliseconds */
  offsetMs(atMs: number): number
}

/** Devices without a place of their own; the runtime's rules would take 8 MiB to say so. */
const UTC: ReadonlySet<string> = new Set(['UTC', 'Etc/UTC'])
const OFFSET = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/

/** A time zone by its IANA name (`Europe/Berlin`); null when this runtime does not know it. */
export function openZone(name: string): Zone | null {
  if (UTC.has(name)) return { offsetMs: () => 0 }
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
    return {
      offsetMs(atMs) {
        const text = format.formatToParts(atMs).find((part) => part.type === 'timeZoneName')?.value ?? ''
        const [, sign, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(text) ?? []
        return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
      },
    }
  } catch {
    return null
  }
}
