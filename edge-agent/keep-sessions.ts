/** Live sessions, joined to what this agent knows: its containers, its cloud, its policy. */
import { LIMITS } from '../protocol/limits.ts'
import type { SessionRequest } from '../protocol/session.ts'
import type { RunConfig } from './config.ts'
import { diagnostics } from './keep-page.ts'
import type { AgentLog } from './log.ts'
import type { Engine, LiveEngine } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock } from './runtime/system-clock.ts'
import { dialCloud } from './session/dial.ts'
import { createSessions } from './session/sessions.ts'
import type { Sessions } from './session/sessions.ts'

export interface SessionParts {
  readonly loop: Loop
  readonly engine: Engine & LiveEngine
  readonly log: AgentLog
  /** ends this process in good order */
  readonly end: (why: string) => void
}

export function keepSessions(config: RunConfig, { loop, engine, log, end }: SessionParts): Sessions {
  const { cloud } = config.join
  return createSessions({
    engine,
    log,
    remoteExec: config.remoteExec,
    acts: { bundle: diagnostics(config, loop, engine, log), restart: config.supervised ? () => end('a restart by the cloud') : null },
    clock: systemClock,
    cloud: cloud === undefined ? null : { url: cloud.url, ...(cloud.ca === undefined ? {} : { ca: cloud.ca }) },
    containers: () => loop.state().observed ?? [],
    dial: (address, session: SessionRequest) => dialCloud(address, session),
    onChange: (open) => loop.dispatch({ kind: 'sessions', open: open.slice(0, LIMITS.sessionsPerDevice.value) }),
  })
}
