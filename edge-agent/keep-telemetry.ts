/** Readings for the cloud: taken while they are wanted, sent when there is a link, kept on the disk while there is none. */
import path from 'node:path'
import type { RunConfig } from './config.ts'
import type { Allowance } from './core/data-budget.ts'
import type { AgentState } from './core/state.ts'
import { createHostReader } from './inventory/host-reader.ts'
import { createTelemetryReader } from './inventory/telemetry-reader.ts'
import type { CloudLink, Log } from './ports.ts'
import { systemClock } from './runtime/system-clock.ts'
import { watchTelemetry } from './runtime/watch-telemetry.ts'
import type { TelemetryWatch } from './runtime/watch-telemetry.ts'
import { nodeDisk } from './store/disk.ts'
import { openTelemetryQueue } from './store/telemetry-queue.ts'

export interface KeptTelemetry extends Pick<TelemetryWatch, 'look' | 'stop'> {
  changed(before: AgentState, after: AgentState): void
}

export function keepTelemetry(
  { stateDir, join }: RunConfig,
  link: CloudLink,
  parts: { readonly log: Log; state(): AgentState; allowance(): Allowance },
): KeptTelemetry {
  const read = createTelemetryReader(createHostReader())
  const running = (): AgentState['observed'] & object => (parts.state().observed ?? []).filter(({ state }) => state === 'running')
  const watch = watchTelemetry({
    device: join.device,
    clock: systemClock,
    log: parts.log,
    queue: openTelemetryQueue(nodeDisk, path.join(stateDir, 'telemetry')),
    link,
    allowance: () => parts.allowance(),
    read: () =>
      read(
        running().map(({ id }) => id),
        parts.state().engine.info?.dataRoot ?? '/',
        systemClock.now(),
      ),
    pods: () => new Map(running().map(({ id, podUid }) => [id, podUid])),
  })
  return {
    look: (look) => watch.look(look),
    stop: () => watch.stop(),
    changed(before, after) {
      const wish = after.desired?.telemetry?.everySeconds ?? null
      if (wish !== (before.desired?.telemetry?.everySeconds ?? null)) watch.wish(wish)
      if (before.link.kind !== 'up' && after.link.kind === 'up') watch.wake()
    },
  }
}
