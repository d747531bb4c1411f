/**
 * Somebody looks at a device: ask it for readings for a while. INVARIANTS: one device is asked no more often than the table allows; one
 * that cannot hear it does not count as asked, so it is as soon as it is there.
 */
import { seal } from '../../protocol/envelope.ts'
import type { SigningKey } from '../../protocol/envelope.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { TelemetryLook } from '../../protocol/telemetry.ts'
import type { Clock, DeviceLink, Log } from '../ports.ts'

/** what one look asks for: it outlasts the pause between two of them */
const LOOK: TelemetryLook = { everySeconds: LIMITS.telemetrySampleMs.value / 1000, forSeconds: (2 * LIMITS.telemetryLookMs.value) / 1000 }

/** Call it again while the looking lasts. */
export function telemetryLooks(deps: {
  readonly link: DeviceLink
  readonly clock: Clock
  readonly log: Log
  readonly signingKey: SigningKey
  isThere(device: string): boolean
}): (device: string) => void {
  const asked = new Map<string, number>()
  return (device) => {
    const now = deps.clock.monoMs()
    // the oldest come first
    for (const [other, at] of asked) {
      if (now - at < LIMITS.telemetryLookMs.value) break
      asked.delete(other)
    }
    if (asked.has(device) || !deps.isThere(device)) return
    asked.set(device, now)
    deps.link.askTelemetry(device, seal('cmd', device, { ask: 'telemetry', telemetry: LOOK }, deps.signingKey)).catch(() => {
      asked.delete(device)
      deps.log.info('a device could not be asked for readings', { device })
    })
  }
}
