/** Which problems somebody muted, and until when. */
import { parseStamp } from '../../protocol/stamp.ts'
import { nameOf } from '../core/meta.ts'
import type { Mute } from '../resources/mute.ts'
import type { MuteView } from './live-protocol.ts'

/** store key */
export const MUTES = 'mutes.skerry.dev'

export function mutesByProblem(mutes: Iterable<Mute>, nowMs: number): ReadonlyMap<string, MuteView> {
  const found = new Map<string, MuteView>()
  for (const mute of mutes) {
    const untilMs = parseStamp(mute.spec.until)
    const before = found.get(mute.spec.problem)
    if (!(untilMs > nowMs) || (before !== undefined && before.untilMs >= untilMs)) continue
    found.set(mute.spec.problem, { name: nameOf(mute), by: mute.by ?? '', reason: mute.spec.reason, untilMs })
  }
  return found
}
