/** Presence (retained, also the last will), hello (sent once a session) and the cloud's commands. */
import { int, list, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'
import { SESSION_REQUEST } from './session.ts'
import { TELEMETRY_LOOK } from './telemetry.ts'

/** An `off` counts only when its sid is the one last seen `on`: a take-over publishes the old will after the new birth. */
export const PRESENCE = obj({
  device: required(str({ min: 1, max: 63 })),
  sid: required(str({ max: 64 })),
  state: required(oneOf('on', 'off')),
  /** connected, it says something at least this often; absent = as often as its report is refreshed */
  quietS: int(60, 172_800),
  /** in a sign of life: the last report of this session; a cloud that has an older one asks for it. Absent at the begin of a connection */
  seq: int(),
})

export const HELLO = obj({
  device: required(str({ min: 1, max: 63 })),
  sid: required(str({ max: 64 })),
  bootId: str({ max: 64 }),
  agentVersion: required(str({ max: 64 })),
  /** desired-state formats this agent reads */
  formats: required(list(int(1), { max: 16 })),
  /** highest pair the device has persisted; 0/0 before the first */
  epoch: required(int()),
  generation: required(int()),
  digest: required(str({ max: 64 })),
  trustedKeys: list(str({ max: 64 }), { max: 16 }),
})

/**
 * `cmd`: one request, safe to repeat. `report` = send your status and inventory again; `open-session` = connect for `session`;
 * `telemetry` = take readings for a while; `time` = it is `at` now; an agent ignores what it does not know.
 */
export const COMMAND = obj({ ask: required(str({ min: 1, max: 64 })), session: SESSION_REQUEST, telemetry: TELEMETRY_LOOK, at: str({ max: 40 }) })

export type Presence = Infer<typeof PRESENCE>
export type Hello = Infer<typeof HELLO>
export type Command = Infer<typeof COMMAND>
