/** Live sessions, joined to what this agent knows: its containers, its cloud, its policy. */
import { LIMITS } from '../protocol/limits.ts'
import type { SessionRequest } from '../protocol/session.ts'
import type { RunConfig } from './config.ts'
import type { AgentLog } from './log.ts'
import type { LiveEngine } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock } from './runtime/system-clock.ts'
import { dialCloud } from './session/dial.ts'
import { createSessions } from './session/sessions.ts'
import type { DeviceActs, Sessions } from './session/sessions.ts'

export interface SessionParts {
  readonly loop: Loop
  readonly engine: LiveEngine
  readonly log: AgentLog
  readonly acts: DeviceActs
}

export function keepSessions({ join, remoteExec }: RunConfig, { loop, engine, log, acts }: SessionParts): Sessions {
  const { cloud } = join
  return createSessions({
    engine,
    log,
    remoteExec,
    acts,
    clock: systemClock,
    cloud: cloud === undefined ? null : { url: cloud.url, ...(cloud.ca === undefined ? {} : { ca: cloud.ca }) },
    containers: () => loop.state().observed ?? [],
    dial: (address, session: SessionRequest) => dialCloud(address, session),
    onChange: (open) => loop.dispatch({ kind: 'sessions', open: open.slice(0, LIMITS.sessionsPerDevice.value) }),
  })
}
