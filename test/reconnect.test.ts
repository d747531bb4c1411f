import { describe, expect, it } from 'vitest'
import { failuresAfter, reconnectDelayMs } from '../edge-agent/link/reconnect.ts'
import { LIMITS } from '../protocol/limits.ts'

/** Ceilings of the waits while the broker is away for a minute, again and again, with `upMs` of contact between. */
function ceilingsAfter(outages: number, upMs: number): number {
  let failures = 0
  let ceiling = 0
  for (let outage = 0; outage < outages; outage += 1) {
    failures = failuresAfter(failures, outage === 0 ? LIMITS.reconnectStableMs.value : upMs)
    for (let awayMs = 0; awayMs < 60_000;) {
      ceiling = reconnectDelayMs(failures, 0.999_999) + 1
      awayMs += ceiling / 2
      failures = failuresAfter(failures, 0)
    }
  }
  return ceiling
}

describe('reconnecting', () => {
  it('waits longer for a link that flaps, and not longer each time for a broker that is restarted now and then', () => {
    expect(ceilingsAfter(8, 1_000)).toBeGreaterThan(LIMITS.reconnectMaxMs.value - 2)
    expect(ceilingsAfter(8, LIMITS.reconnectHeldMs.value)).toBeLessThan(130_000)
  })
})
