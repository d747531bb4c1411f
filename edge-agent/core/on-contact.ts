/** What follows from being without the cloud: written down now and then, looked at anew when contact is back. */
import { confirmed, contactAfter, contactSaveAt, firstLook } from './contact.ts'
import type { Now } from './model.ts'
import { act } from './on-observed.ts'
import type { AgentEvent, AgentState } from './state.ts'
import { quiet } from './turn.ts'
import type { Turn } from './turn.ts'

/** `before` is the state as the event found it. */
export function settleContact(before: AgentState, event: AgentEvent, state: AgentState, now: Now): Turn {
  if (event.kind === 'link') return quiet({ ...state, contact: contactAfter(before, event.link, now) })
  if (event.kind === 'target' || event.kind === 'saved') {
    const back = confirmed(state, event.kind === 'target')
    // the same document again: nothing else would plan
    return back === state ? quiet(state) : act(back, now)
  }
  if (event.kind === 'observed' && state.contact?.ran === null) return quiet(firstLook(state))
  const at = contactSaveAt(state)
  if (at === null || at > now.monoMs || state.timing.ledgerDirty || state.timing.saveInFlight) return quiet(state)
  return quiet({ ...state, timing: { ...state.timing, ledgerDirty: true } })
}
