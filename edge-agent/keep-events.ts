/** Store and forward: what happens here is written to the disk, and sent when there is a link. */
import path from 'node:path'
import { LIMITS } from '../protocol/limits.ts'
import type { RunConfig } from './config.ts'
import { allowance, newBudget } from './core/data-budget.ts'
import type { Allowance } from './core/data-budget.ts'
import { happeningsOf } from './core/happenings.ts'
import type { AgentState } from './core/state.ts'
import type { AuditEntry } from './local-page/audit.ts'
import type { TrafficView } from './local-page/view-model.ts'
import type { CloudLink, EventQueue, Log } from './ports.ts'
import { createEventSender } from './runtime/send-events.ts'
import { systemClock } from './runtime/system-clock.ts'
import { nodeDisk } from './store/disk.ts'
import { createEventQueue } from './store/event-queue.ts'
import { SegmentLog } from './store/segment-log.ts'

export interface KeptEvents {
  changed(before: AgentState, after: AgentState): void
  /** an action on the device page; overrides tell of themselves when they begin */
  done(entry: AuditEntry): void
  traffic(): TrafficView
  allowance(): Allowance
  stop(): Promise<void>
}

export function keepEvents({ stateDir, join }: RunConfig, link: CloudLink | null, log: Log): KeptEvents {
  const files = new SegmentLog({ disk: nodeDisk, dir: path.join(stateDir, 'events'), maxBytes: LIMITS.eventQueueBytes.value })
  const queue: EventQueue = createEventQueue(files, { clock: systemClock, log, onStored: () => sender?.wake() })
  const budget = join.dataBudget
  const sender =
    link === null
      ? null
      : createEventSender({
          device: join.device,
          queue,
          link,
          clock: systemClock,
          ...(budget === undefined ? {} : { budget: { class: 'metered', dayBytes: budget.dayBytes } }),
        })
  return {
    changed(before, after) {
      for (const one of happeningsOf(before, after, systemClock.now())) queue.record(one)
      if (before.link.kind !== 'up' && after.link.kind === 'up') sender?.wake()
    },
    done({ atMs, owner, action, target, ok, result }) {
      if (ok && action in BEGINS) return
      const message = `${owner}: ${action}, ${target}: ${result}`
      queue.record({ type: ok ? 'Normal' : 'Warning', reason: 'DevicePage', message, at: new Date(atMs).toISOString() })
    },
    traffic: () => {
      const { waiting, dropped, bytes } = queue.stats()
      const spent = sender?.allowance().spent ?? 0
      const ofLink = link === null ? {} : { unsent: link.unsent() }
      return {
        ...ofLink,
        todayBytes: spent,
        budgetBytes: budget?.dayBytes ?? null,
        channels: link?.traffic() ?? {},
        waiting,
        dropped,
        queueBytes: bytes,
      }
    },
    allowance: () => sender?.allowance() ?? allowance(newBudget('unmetered', 0), {}),
    stop: async () => {
      sender?.stop()
      await queue.stop()
    },
  }
}

/** they are told by the change of state that follows */
const BEGINS: Readonly<Record<string, true>> = {
  restart: true,
  hold: true,
  'run-previous': true,
  'hold-update': true,
  'update-now': true,
  'safe-mode': true,
}
