/** The way to the cloud, and what each of its messages sets going. */
import type { RunConfig } from './config.ts'
import { linkPace } from './core/link-pace.ts'
import { hello } from './hello.ts'
import { linkOwn } from './keep-pace.ts'
import type { KeptTelemetry } from './keep-telemetry.ts'
import { createMqttLink } from './link/mqtt-link.ts'
import type { AgentLog } from './log.ts'
import type { CloudLink } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import type { Sessions } from './session/sessions.ts'

export function createLink({ join }: RunConfig, sid: string, log: AgentLog): CloudLink {
  const { broker, tenant, device, trustedKeys, username, password, ca } = join
  const optional = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  }
  const pace = linkPace({ desired: null, inventory: null, ...linkOwn(join) })
  return createMqttLink(
    { url: broker, tenant, device, sid, trusted: trustedKeys, pace, ...optional },
    { clock: systemClock, random: systemRandom, log },
  )
}

export interface Asked {
  readonly sessions: Sessions
  readonly telemetry: KeptTelemetry | null
}

export function connectCloud(link: CloudLink, loop: Loop, { sessions, telemetry }: Asked, { join }: RunConfig, sid: string): void {
  link.start({
    onTarget: (desired) => loop.dispatch({ kind: 'target', desired }),
    onTargetRefused: (reason) => loop.dispatch({ kind: 'target-refused', cause: reason }),
    onState: (state) => loop.dispatch({ kind: 'link', link: state }),
    onReportAsked: () => loop.dispatch({ kind: 'report-asked' }),
    onCloudTime: (atWallMs) => loop.dispatch({ kind: 'cloud-time', atWallMs }),
    onSessionAsked: (session) => sessions.open(session),
    onTelemetryAsked: (look) => telemetry?.look(look),
    hello: () =>
      hello(
        loop.state(),
        sid,
        join.trustedKeys.map(({ kid }) => kid),
      ),
  })
}
