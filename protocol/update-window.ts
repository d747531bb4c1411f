/**
 * Maintenance windows: `22:00-04:00`, `Mon-Fri 22:00-04:00`, `Sat,Sun 00:00-24:00`, several with `;` between. A window that goes
 * over midnight belongs to the day on which it begins. Where clocks are put forward, a time that does not exist is that
 * much later, so that a window keeps its length; where they are put back, it begins at the first and ends at the last of two.
 */
import type { Zone } from './calendar.ts'

export interface Window {
  /** 0 = Sunday */
  readonly days: readonly number[]
  /** minutes from midnight; `to` is larger, and beyond 1440 on the next day */
  readonly from: number
  readonly to: number
}

export type ParsedWindows = { readonly ok: true; readonly windows: readonly Window[] } | { readonly ok: false; readonly why: string }

export interface WindowState {
  readonly open: boolean
  /** when that changes; null = not within the next eight days */
  readonly untilMs: number | null
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const ALL_DAYS: readonly number[] = [0, 1, 2, 3, 4, 5, 6]
const DAY_MINUTES = 24 * 60
const MINUTE_MS = 60_000
const DAY_MS = DAY_MINUTES * MINUTE_MS

/** `why` says which part is wrong and what it may be. */
export function parseWindows(text: string): ParsedWindows {
  const windows: Window[] = []
  for (const part of text.split(';').map((one) => one.trim())) {
    const window = parseWindow(part)
    if (typeof window === 'string') return { ok: false, why: window }
    windows.push(window)
  }
  return { ok: true, windows }
}

function parseWindow(text: string): Window | string {
  const found = /^(?:([A-Za-z, -]+?)\s+)?(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)$/.exec(text)
  if (found === null) return `${JSON.stringify(text)} is not a window; write "22:00-04:00" or "Mon-Fri 22:00-04:00", several with ";" between`
  const [, days, fromHour, fromMinute, toHour, toMinute] = found
  const from = minutesOf(fromHour, fromMinute)
  const to = minutesOf(toHour, toMinute)
  if (from === null || from === DAY_MINUTES || to === null)
    return `${JSON.stringify(text)} has a time that does not exist; use 00:00 to 23:59, and 24:00 for an end`
  if (from === to) return `${JSON.stringify(text)} begins when it ends; write "00:00-24:00" for the whole day`
  const on = days === undefined ? ALL_DAYS : daysOf(days)
  if (on === null) return `${JSON.stringify(days)} are not days; use Mon, Tue, Wed, Thu, Fri, Sat, Sun, lists and ranges`
  return { days: on, from, to: to > from ? to : to + DAY_MINUTES }
}

function minutesOf(hour = '', minute = ''): number | null {
  const minutes = Number(hour) * 60 + Number(minute)
  return Number(minute) > 59 || minutes > DAY_MINUTES ? null : minutes
}

function daysOf(text: string): readonly number[] | null {
  const days = new Set<number>()
  for (const part of text.split(',')) {
    const [first, last = first, ...more] = part.split('-').map((name) => DAYS.indexOf(name.trim().toLowerCase()))
    if (first === undefined || last === undefined || first < 0 || last < 0 || more.length > 0) return null
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === last) break
    }
  }
  return [...days].sort((a, b) => a - b)
}

export function windowAt(windows: readonly Window[], zone: Zone, atMs: number): WindowState {
  const today = Math.floor((atMs + zone.offsetMs(atMs)) / DAY_MS)
  const spans = windows
    .flatMap((window) => spansOf(window, zone, today))
    .filter(({ endMs }) => endMs > atMs)
    .sort((a, b) => a.startMs - b.startMs)
  const [first] = spans
  if (first === undefined) return { open: false, untilMs: null }
  if (first.startMs > atMs) return { open: false, untilMs: first.startMs }
  // windows that touch are one
  let untilMs = first.endMs
  for (const { startMs, endMs } of spans) if (startMs <= untilMs) untilMs = Math.max(untilMs, endMs)
  return { open: true, untilMs: untilMs > atMs + 7 * DAY_MS ? null : untilMs }
}

const DAYS_AHEAD = 8

function spansOf({ days, from, to }: Window, zone: Zone, today: number): readonly { readonly startMs: number; readonly endMs: number }[] {
  const spans = []
  for (let day = today - 2; day <= today + DAYS_AHEAD; day += 1) {
    if (!days.includes((((day + 4) % 7) + 7) % 7)) continue
    const startMs = instantsOf(day * DAY_MS + from * MINUTE_MS, zone)[0]
    const endMs = instantsOf(day * DAY_MS + to * MINUTE_MS, zone)[1]
    if (endMs > startMs) spans.push({ startMs, endMs })
  }
  return spans
}

/** The first and the last instant at which clocks show `local`. */
function instantsOf(local: number, zone: Zone): readonly [number, number] {
  const before = zone.offsetMs(local - 1.5 * DAY_MS)
  const after = zone.offsetMs(local + 1.5 * DAY_MS)
  if (before === after) return [local - before, local - before]
  const real = [local - before, local - after].filter((at) => at + zone.offsetMs(at) === local)
  return real.length === 0 ? [local - before, local - before] : [Math.min(...real), Math.max(...real)]
}
