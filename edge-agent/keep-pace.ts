/** The link is told how much it may say, whenever that changes: another document, another way out. */
import type { JoinFile } from './join-file.ts'
import { linkPace } from './core/link-pace.ts'
import type { AgentState } from './core/state.ts'
import type { CloudLink } from './ports.ts'

export interface KeptPace {
  changed(before: AgentState, after: AgentState): void
}

export function keepPace(link: Pick<CloudLink, 'pace'>): KeptPace {
  return {
    changed(before, after) {
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
