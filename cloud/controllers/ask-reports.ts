/**
 * A device that stayed connected while this process was away says nothing by itself, nor does one whose report a broker lost on the way.
 * INVARIANTS: asked at the table's rate, after the broker had time to hand over what it kept; whoever has reported by then is not
 * asked, nor is one that cannot be there.
 */
import { seal } from '../../protocol/envelope.ts'
import type { SigningKey } from '../../protocol/envelope.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { nameOf } from '../core/meta.ts'
import type { DeviceLink } from '../ports.ts'
import { lacksReport } from './device-book.ts'
import type { DeviceBook } from './device-book.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export interface AskReportsDeps extends ControllerDeps {
  readonly link: Pick<DeviceLink, 'askReport' | 'isConnected'>
  readonly book: DeviceBook
  readonly signingKey: SigningKey
  /** nobody was connected to it before this process was: see the publisher */
  readonly brokerIsOurs?: boolean
}

export interface AskReports extends Controller {
  /** the link of this cloud came up */
  connected(): void
  /** what this device said last has not come */
  lacks(device: string): void
}

export function startAskReports(deps: AskReportsDeps): AskReports {
  const { cluster, clock, book, link, signingKey, log } = deps
  let connectedMonoMs = clock.monoMs()
  const controller = runController(deps, 'ask-report', async (device) => {
    const view = book.peek(device)
    if (!link.isConnected() || (view !== null && view.reportMonoMs >= connectedMonoMs && !lacksReport(view))) return null
    if (deps.brokerIsOurs === true && view?.present !== true) return null
    await link
      .askReport(device, seal('cmd', device, { ask: 'report' }, signingKey))
      .catch(() => log.info('a device could not be asked for its report', { device }))
    return null
  })
  return {
    ...controller,
    lacks: (device) => controller.queue.addAfter(device, LIMITS.askReportsMs.value),
    connected() {
      connectedMonoMs = clock.monoMs()
      cluster.nodes
        .values()
        .forEach((node, index) =>
          controller.queue.addAfter(nameOf(node), LIMITS.askReportsMs.value + (index * 1000) / LIMITS.republishPerSecond.value),
        )
    },
  }
}
