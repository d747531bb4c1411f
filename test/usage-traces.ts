/** Made-up cpu use of pods, one sample for five minutes: a daily tide that most pods share, noise, and bursts. Equal seeds make equal traces. */

export const SAMPLES_A_DAY = 288

export interface Trace {
  readonly requestMilli: number
  readonly usedMilli: readonly number[]
}

export function usageTraces(seed: number, pods: number, days: number): readonly Trace[] {
  const random = randomOf(seed)
  return Array.from({ length: pods }, () => oneTrace(random, days))
}

/** Uses 5 to 30 % at night, up to 30 % more at its hour of the day, and in bursts of up to half an hour 20 to 70 % more again. */
function oneTrace(random: () => number, days: number): Trace {
  const requestMilli = 200 + Math.floor(random() * 8) * 100
  const quiet = 0.05 + 0.25 * random()
  const tide = 0.3 * random()
  const hour = random() < 0.7 ? random() * 0.15 : random()
  const noise = 0.02 + 0.08 * random()
  const burstChance = random() * 0.03
  const burstHeight = 0.2 + 0.5 * random()
  let burst = 0
  const usedMilli = Array.from({ length: SAMPLES_A_DAY * days }, (_, at) => {
    if (burst > 0) burst -= 1
    else if (random() < burstChance) burst = 1 + Math.floor(random() * 6)
    const ofDay = 0.5 - 0.5 * Math.cos(2 * Math.PI * (at / SAMPLES_A_DAY + hour))
    const share = quiet + tide * ofDay + (random() + random() + random() - 1.5) * noise + (burst > 0 ? burstHeight : 0)
    return Math.round(requestMilli * Math.min(1, Math.max(0, share)))
  })
  return { requestMilli, usedMilli }
}

function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
