/**
 * How long the device has been without the cloud. INVARIANTS
 * - Never counted too short: a link that was lost is counted from the last sign of life that it may have had, the agent's own
 *   restarts and reboots go on from what was saved, and a wall clock that is believed can only add.
 * - A link that is up again ends the count only with the document that it brings: the cloud may have decided meanwhile.
 * - How long a device was off it cannot know. What has a time limit and did not run when the agent began waits for a document.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { trustedWallMs } from './clock-trust.ts'
import type { Contact, Fence, SavedContact } from './contact-model.ts'
import type { Now, ObservedContainer } from './model.ts'
import type { AgentState, LinkState, Outage } from './state.ts'
import { wantedState } from './wanted-state.ts'

/** a lost link is noticed this much later at most, at the pace of a device that has work to stop: see link-pace */
const NOTICED_MS = LIMITS.mqttKeepaliveS.value * 1_500

/** The state file was read, perhaps after the link had come up and brought a document. */
export function startContact({ link, nextToSave }: Pick<AgentState, 'link' | 'nextToSave'>, nowMonoMs: number, saved?: SavedContact): Contact {
  const told = link.kind === 'up' && nextToSave !== null
  const begins = { carriedMs: saved?.aloneMs ?? 0, told, heard: false, ran: null }
  if (link.kind === 'up') return { ...begins, lostAtMonoMs: null, carriedWallMs: null, upSinceMonoMs: nowMonoMs }
  return { ...begins, lostAtMonoMs: nowMonoMs, carriedWallMs: saved?.wallMs ?? null, upSinceMonoMs: null }
}

/** The agent's first look at the engine. */
export function firstLook(state: AgentState): AgentState {
  const { contact, observed } = state
  return contact === undefined || contact.ran !== null || observed === null ? state : { ...state, contact: { ...contact, ran: runningIn(observed) } }
}

function runningIn(observed: readonly ObservedContainer[]): readonly string[] {
  return [...new Set(observed.filter(({ state }) => state === 'running' || state === 'paused').map(({ podUid }) => podUid))]
}

/** Milliseconds without the cloud; 0 = in contact. */
export function aloneMs({ contact, clock, link }: Pick<AgentState, 'contact' | 'clock' | 'link'>, now: Now): number {
  if (contact === undefined || link.kind === 'disabled') return 0
  const { lostAtMonoMs, carriedMs, carriedWallMs } = contact
  const counted = carriedMs + (lostAtMonoMs === null ? 0 : now.monoMs - lostAtMonoMs)
  const wallMs = carriedWallMs === null || lostAtMonoMs === null ? null : trustedWallMs(clock, now)
  return wallMs === null || carriedWallMs === null ? counted : Math.max(counted, carriedMs + wallMs - carriedWallMs)
}

/** The link changed. */
export function contactAfter(state: AgentState, link: LinkState, now: Now): Contact | undefined {
  const { contact } = state
  if (contact === undefined || link.kind === state.link.kind) return contact
  if (link.kind === 'up')
    return { ...contact, lostAtMonoMs: null, carriedMs: aloneMs(state, now), carriedWallMs: null, upSinceMonoMs: now.monoMs, told: false }
  if (state.link.kind !== 'up') return contact
  const since = Math.max(contact.upSinceMonoMs ?? now.monoMs, now.monoMs - NOTICED_MS)
  return { ...contact, lostAtMonoMs: since, carriedWallMs: null, upSinceMonoMs: null, told: false }
}

/** A document came over a link that is up and nothing newer waits for the disk: what the device holds is the cloud's newest word. */
export function confirmed(state: AgentState, comes: boolean): AgentState {
  const { contact, link } = state
  if (contact === undefined || link.kind !== 'up') return state
  const told = contact.told || comes
  // what is not on disk yet is not acted on: until then the document before holds, and it may know nothing of a replacement
  const knows = told && state.nextToSave === null && state.saving === null
  if (told === contact.told && (!knows || (contact.heard && contact.carriedMs === 0))) return state
  const carriedMs = knows ? 0 : contact.carriedMs
  return { ...state, contact: { ...contact, told, heard: contact.heard || knows, carriedMs, carriedWallMs: null } }
}

export function fenceOf(state: AgentState, now: Now): Fence {
  const alone = aloneMs(state, now)
  const stopped: Record<string, Cause> = {}
  let nextAtMonoMs: number | null = null
  for (const { uid, policy } of wantedState(state)?.pods ?? []) {
    const afterMs = policy?.stopAfterSeconds === undefined ? null : policy.stopAfterSeconds * 1_000
    if (policy?.standby === true) stopped[uid] = cause('policy.disconnect.standby')
    else if (afterMs !== null && alone >= afterMs) stopped[uid] = cause('policy.disconnect.stopped', { after: afterMs / 1_000 })
    else if (afterMs !== null && isUnsure(state, uid)) stopped[uid] = cause('policy.disconnect.unsure')
    else if (afterMs !== null && state.contact?.lostAtMonoMs !== null) {
      const at = now.monoMs + afterMs - alone
      if (nextAtMonoMs === null || at < nextAtMonoMs) nextAtMonoMs = at
    }
  }
  return { stopped, nextAtMonoMs }
}

/** The device may have been off for long: what did not run when the agent began may run elsewhere by now. */
function isUnsure({ contact, link, observed }: AgentState, uid: string): boolean {
  if (contact === undefined || contact.heard || link.kind === 'disabled') return false
  return !(contact.ran ?? runningIn(observed ?? [])).includes(uid)
}

/** For the state file: only while it matters. */
export function contactToSave(state: AgentState, now: Now): { readonly contact?: SavedContact } {
  const alone = aloneMs(state, now)
  return alone === 0 || !fencesAny(state.desired?.pods ?? [])
    ? {}
    : { contact: { aloneMs: Math.round(alone), wallMs: trustedWallMs(state.clock, now) } }
}

/** The moment when the count is to be written down again; null = it need not be. */
export function contactSaveAt(state: AgentState): number | null {
  const { contact, overridesSavedAtMonoMs } = state
  if (contact === undefined || contact.lostAtMonoMs === null || state.knowledge !== 'known' || state.link.kind === 'disabled') return null
  return fencesAny(state.desired?.pods ?? []) ? (overridesSavedAtMonoMs ?? 0) + LIMITS.disconnectSaveMs.value : null
}

export function fencesAny(pods: readonly DesiredPod[]): boolean {
  return pods.some(({ policy }) => policy?.stopAfterSeconds !== undefined)
}

/** What keeps this device from the cloud, also while it tries again; null = nothing that is known. */
export function outageOf(link: LinkState): Outage | null {
  if (link.kind === 'down') return { sinceWallMs: link.sinceWallMs, why: link.why }
  return link.kind === 'connecting' ? (link.after ?? null) : null
}
