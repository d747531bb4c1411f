/** The clock as a person on site sees it: what it says, who vouches for it, or what is wrong and waits for it. */
import { clockCause } from '../core/clock-trust.ts'
import type { ClockTrust, ProofBy } from '../core/clock-trust.ts'
import type { Now } from '../core/model.ts'
import { causeView } from './cause-view.ts'
import type { LineView } from './view-model.ts'

const BY: Readonly<Record<ProofBy, string>> = {
  'time-server': 'a time server',
  'hardware-clock': 'the battery-backed clock',
  cloud: 'the cloud',
}

export function clockLine(clock: ClockTrust, now: Now): LineView {
  const why = clockCause(clock, now)
  if (why === null && clock.proof !== null) return { tone: 'ok', says: `Right, says ${BY[clock.proof.by]}`, cause: null, sinceMs: null }
  const tone = why?.code === 'clock.unproven' ? 'unknown' : 'warn'
  return {
    tone,
    says: why?.code === 'clock.unproven' ? 'Not confirmed' : 'Not right',
    cause: why === null ? null : causeView(why, now),
    sinceMs: null,
  }
}
