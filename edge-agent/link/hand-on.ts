/** What each sound message from the cloud sets going. */
import type { LinkHandlers, Log } from '../ports.ts'
import type { Inbound } from './inbound.ts'

export function handOn(inbound: Inbound, topic: string, handlers: LinkHandlers | null, log: Log): void {
  switch (inbound.kind) {
    case 'target':
      return handlers?.onTarget(inbound.desired)
    case 'refused':
      log.warn('a message was refused', { topic, code: inbound.cause.code })
      return handlers?.onTargetRefused(inbound.cause)
    case 'report-asked':
      return handlers?.onReportAsked()
    case 'time':
      return handlers?.onCloudTime?.(inbound.atWallMs)
    case 'telemetry-asked':
      return handlers?.onTelemetryAsked?.(inbound.look)
    case 'session-asked':
      return handlers?.onSessionAsked?.(inbound.session)
    case 'ignored':
      return log.info('a message was ignored', { why: inbound.why })
  }
}
