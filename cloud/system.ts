/** The clock and the randomness of this process, behind the cloud's ports. */
import { randomInt, randomUUID } from 'node:crypto'
import type { Clock, Random } from './ports.ts'

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.max(0, ms))
    return () => clearTimeout(timer)
  },
}

/** no vowels: generated names spell nothing; no 0, 1, 3: they look like letters */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
  suffix: (length) => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)] ?? 'b').join(''),
}
