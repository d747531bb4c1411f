/** Every word for a state, once: its tone and its place, the worst first. Console, queries and the API's words meet here. */
import type { DeviceWord, PodWord, Standing, Tone } from './view-model.ts'

interface Said {
  readonly tone: Tone
  /** the sentence behind the word, for hints and legends */
  readonly means: string
}

/** Order = severity; the position is the byte of a device in the field. */
export const STANDINGS: Readonly<Record<Standing, Said>> = {
  failed: { tone: 'bad', means: 'something that should run there is in trouble' },
  'not-placed': { tone: 'bad', means: 'something that must run there has no place' },
  offline: { tone: 'unknown', means: 'not heard; what runs there is not known' },
  degraded: { tone: 'warn', means: 'works, but says that something is wrong' },
  updating: { tone: 'busy', means: 'changes to what is wanted' },
  'never-seen': { tone: 'unknown', means: 'known by name, has never reported' },
  ok: { tone: 'ok', means: 'runs as wanted' },
}

export const STANDING_ORDER = Object.keys(STANDINGS) as readonly Standing[]

export const DEVICE_TONES: Readonly<Record<DeviceWord, Tone>> = { online: 'ok', degraded: 'warn', offline: 'unknown', 'never-seen': 'unknown' }

export const POD_TONES: Readonly<Record<PodWord, Tone>> = {
  pending: 'busy',
  pulling: 'busy',
  starting: 'busy',
  running: 'ok',
  updating: 'busy',
  held: 'warn',
  'rolled-back': 'bad',
  unhealthy: 'bad',
  restarting: 'bad',
  stopped: 'bad',
  removing: 'busy',
  'not-placed': 'bad',
  unknown: 'unknown',
}

const TONE_ORDER: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, unknown: 2, busy: 3, ok: 4 }

/** 0 = needs somebody first. */
export function severity(tone: Tone): number {
  return TONE_ORDER[tone]
}

export function standingByte(standing: Standing): number {
  return STANDING_ORDER.indexOf(standing)
}
