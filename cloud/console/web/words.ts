/** Numbers as people say them. */
export { bytes, duration } from '../../../protocol/spoken.ts'

/** `"14:02"`, with the day when it is not today */
export function clockTime(ms: number): string {
  const at = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  return at.toDateString() === new Date().toDateString() ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}

/** `1500` -> `"1.5"` */
export function cores(milli: number): string {
  return String(Math.round(milli / 10) / 100)
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** `98333` -> `"98,333"`. By hand: the first number in a locale loads all of its rules, 15 ms on a laptop */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
