/**
 * How much a quiet link may say. INVARIANTS
 * - An operator's word goes before the owner's on the device, and that before what the device is connected with.
 * - A device that must stop work when it is alone keeps the quick pace on every link: the cloud counts on it to notice.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { LinkClass } from '../../protocol/link.ts'
import { spread } from '../../protocol/text-hash.ts'
import { fencesAny } from './contact.ts'
import type { AgentState } from './state.ts'

export interface LinkPace {
  readonly class: LinkClass
  /** said to the broker, which calls a client gone after half as much again; no quiet time between two pings is longer */
  readonly keepaliveS: number
  /** one sign of life that the cloud itself sees at least this often */
  readonly beatMs: number
  /** what the cloud is told: connected, this device may say nothing for so long; null = its own rule */
  readonly quietS: number | null
}

export const QUICK_PACE: LinkPace = {
  class: 'unmetered',
  keepaliveS: LIMITS.mqttKeepaliveS.value,
  beatMs: LIMITS.linkBeatQuickMs.value,
  quietS: null,
}

type Facts = Pick<AgentState, 'desired' | 'inventory' | 'linkOwn'>

export function linkPace({ desired, inventory, linkOwn }: Facts): LinkPace {
  const connected = inventory?.networkClass === 'cellular' ? 'metered' : 'unmetered'
  const linkClass = desired?.link?.class ?? linkOwn?.class ?? connected
  const metered = linkClass === 'metered'
  const wished = desired?.link?.keepaliveSeconds ?? linkOwn?.keepaliveSeconds
  const keepaliveS = wished ?? (metered ? LIMITS.mqttKeepaliveMeteredS.value : QUICK_PACE.keepaliveS)
  const fenced = fencesAny(desired?.pods ?? [])
  return {
    class: linkClass,
    keepaliveS: fenced ? Math.min(keepaliveS, QUICK_PACE.keepaliveS) : keepaliveS,
    beatMs: metered ? LIMITS.linkBeatMs.value : QUICK_PACE.beatMs,
    quietS: metered ? LIMITS.linkBeatQuietMs.value / 1_000 : null,
  }
}

/** How old a report may become of which nothing changed. Each device has its own, so that a fleet does not refresh together. */
export function refreshMs(state: Facts & Pick<AgentState, 'device'>): number {
  const { value } = linkPace(state).class === 'metered' ? LIMITS.linkRefreshMs : LIMITS.reportRefreshMs
  return Math.round(value * (0.75 + 0.2 * spread(state.device)))
}
