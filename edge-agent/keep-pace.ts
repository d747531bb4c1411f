/**
 * The link is told how much it may say, whenever that changes: another document, another way out. And that it should try now, when
 * the clock was set: certificates that were not yet valid, or not any more, may be so.
 */
import { LIMITS } from '../protocol/limits.ts'
import type { JoinFile } from './join-file.ts'
import { linkPace } from './core/link-pace.ts'
import type { AgentState } from './core/state.ts'
import type { CloudLink } from './ports.ts'

export interface KeptPace {
  changed(before: AgentState, after: AgentState): void
}

export function keepPace(link: Pick<CloudLink, 'pace' | 'tryNow'>): KeptPace {
  return {
    changed(before, after) {
      const { jump } = after.clock
      // a clock that keeps jumping must not take the pauses between tries away
      if (jump !== null && jump !== before.clock.jump && jump.times < LIMITS.clockUnsteadyJumps.value) link.tryNow()
      if (before.desired === after.desired && before.inventory === after.inventory) return
      const [old, now] = [linkPace(before), linkPace(after)]
      if (old.class !== now.class || old.keepaliveS !== now.keepaliveS) link.pace(now)
    },
  }
}

/** What the owner says: a link with a data budget is a metered one. */
export function linkOwn({ link, dataBudget }: JoinFile): Pick<AgentState, 'linkOwn'> {
  if (link === undefined && dataBudget === undefined) return {}
  return { linkOwn: { ...(dataBudget === undefined ? {} : { class: 'metered' }), ...link } }
}
