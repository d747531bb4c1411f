/** What happened between two states, for the people who were not there: said once, at the change, never as a state. */
import { causeSentence } from '../../protocol/causes.ts'
import type { DeviceHappening } from '../../protocol/events.ts'
import { clip } from '../../protocol/limits.ts'
import type { Now } from './model.ts'
import type { Override } from './saved-model.ts'
import type { AgentState } from './state.ts'
import { rfc3339 } from './wall-time.ts'

type Pod = NonNullable<DeviceHappening['pod']>
type Say = (type: DeviceHappening['type'], reason: string, message: string, pod?: Pod | null) => void

/** In the order in which they are told. Cheap when nothing of interest changed. */
export function happeningsOf(before: AgentState, after: AgentState, now: Now): readonly DeviceHappening[] {
  if (before === after) return []
  const found: DeviceHappening[] = []
  const at = rfc3339(now.wallMs)
  const say: Say = (type, reason, message, pod) => {
    found.push({ type, reason, message: clip(message), at, ...(pod === undefined || pod === null ? {} : { pod }) })
  }
  link(before, after, say)
  engine(before, after, say)
  storage(before, after, say)
  if (before.overrides !== after.overrides) overrides(before.overrides, after.overrides, say)
  if (before.ledger !== after.ledger) restarts(before, after, say)
  return found
}

function link(before: AgentState, after: AgentState, say: Say): void {
  if (before.link.kind === 'up' && after.link.kind === 'down') say('Warning', 'LinkLost', `The link to the cloud was lost: ${after.link.why}.`)
  if (before.link.kind !== 'up' && after.link.kind === 'up') say('Normal', 'LinkUp', 'The device is in contact with the cloud.')
}

function engine(before: AgentState, after: AgentState, say: Say): void {
  const lost = after.engine.cause !== null && before.engine.cause === null
  if (lost && !after.engine.reachable) say('Warning', 'EngineLost', causeSentence(after.engine.cause))
  if (before.engine.cause !== null && !before.engine.reachable && after.engine.reachable)
    say('Normal', 'EngineBack', 'The container engine answers again.')
}

function storage(before: AgentState, after: AgentState, say: Say): void {
  if (after.storage !== null && before.storage?.code !== after.storage.code) say('Warning', 'StorageTrouble', causeSentence(after.storage))
}

function overrides(before: readonly Override[], after: readonly Override[], say: Say): void {
  for (const one of after) if (!before.includes(one)) say('Warning', 'OverrideBegan', `${one.kind} by ${one.owner}: ${one.reason}`, one.pod)
  for (const one of before) if (!after.includes(one)) say('Normal', 'OverrideEnded', `${one.kind} by ${one.owner} is over.`, one.pod)
}

function restarts(before: AgentState, after: AgentState, say: Say): void {
  for (const [key, entry] of Object.entries(after.ledger)) {
    const old = before.ledger[key]
    // a ledger that was read from disk is not news
    if (before.knowledge === 'loading' || entry === old || entry.restarts <= (old?.restarts ?? 0)) continue
    const pod = after.desired?.pods.find((one) => key.startsWith(`${one.uid}/`))
    const why = entry.lastCause === null ? 'The container ended.' : causeSentence(entry.lastCause)
    say('Warning', 'Restarted', why, pod === undefined ? null : { uid: pod.uid, namespace: pod.namespace, name: pod.name })
  }
}
