/** Live sessions, joined to the link, to what is known of devices, and to the Events that tell of them. */
import type { SigningKey } from '../protocol/envelope.ts'
import type { Controllers } from './controllers/start-controllers.ts'
import type { Clock, Log, SessionLink } from './ports.ts'
import { DeviceSessions } from './sessions/device-sessions.ts'
import { LiveVerbs } from './sessions/live-verbs.ts'
import type { SessionAudit } from './sessions/live-verbs.ts'

export interface LiveSessionsParts {
  readonly link: SessionLink
  readonly controllers: Pick<Controllers, 'unreachable' | 'record'>
  readonly clock: Clock
  readonly log: Log
  readonly signingKey: SigningKey
  readonly url: () => string
}

export function liveSessions({ link, controllers, clock, log, signingKey, url }: LiveSessionsParts): { readonly verbs: LiveVerbs; close(): void } {
  const devices = new DeviceSessions({
    clock,
    signingKey,
    url,
    ask: (device, message) => link.askSession(device, message),
    unreachable: (device) => controllers.unreachable(device),
  })
  const record = (audit: SessionAudit): void =>
    controllers.record({ about: audit.call.about, type: 'Normal', component: 'skerry-sessions', ...said(audit) })
  return { verbs: new LiveVerbs({ devices, clock, log, record }), close: () => devices.close() }
}

/** Names the program, never its arguments: they may hold a password. */
function said({ call: { wanted, device }, ended }: SessionAudit): { readonly reason: string; readonly message: string } {
  const { who, what, container, argv } = wanted
  const program = argv?.[0] === undefined ? '' : ` (${argv[0].slice(0, 64)})`
  const where = container === '' ? `on ${device}` : `in container ${container} on ${device}`
  const act = `${who}: ${what}${program} ${where}`
  if (ended === null) return { reason: 'SessionOpened', message: act }
  return { reason: 'SessionEnded', message: `${act} ended after ${ended.seconds} s, ${ended.bytes} bytes` }
}
