/**
 * Sends what the event queue holds, oldest first. INVARIANTS: one message is in flight; a batch leaves the queue only after
 * the broker acknowledged it; over budget it is sent seldom, never dropped here.
 */
import { allowance, dayOf, newBudget } from '../core/data-budget.ts'
import type { Allowance } from '../core/data-budget.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { LinkClass } from '../../protocol/link.ts'
import type { Clock, CloudLink, EventQueue } from '../ports.ts'

export interface EventSender {
  /** there may be something to send: the link is up, or the queue grew */
  wake(): void
  allowance(): Allowance
  stop(): void
}

export interface SendDeps {
  readonly device: string
  readonly queue: EventQueue
  readonly link: Pick<CloudLink, 'publishEvents' | 'traffic'>
  readonly clock: Clock
  readonly budget?: { readonly class: LinkClass; readonly dayBytes?: number }
}

export function createEventSender({ device, queue, link, clock, budget: given }: SendDeps): EventSender {
  let budget = newBudget(given?.class ?? 'unmetered', clock.now().monoMs, given?.dayBytes)
  let busy = false
  let again = false
  let stopped = false
  let sentAtMonoMs = Number.NEGATIVE_INFINITY
  let timer: (() => void) | null = null

  const allowed = (): Allowance => {
    budget = dayOf(budget, link.traffic(), clock.now().monoMs)
    return allowance(budget, link.traffic())
  }
  /** true when there may be more */
  const sendOne = async (): Promise<boolean> => {
    const waitMs = sentAtMonoMs + allowed().eventsEveryMs - clock.now().monoMs
    if (waitMs > 0) {
      timer ??= clock.at(clock.now().monoMs + waitMs, () => {
        timer = null
        wake()
      })
      return false
    }
    const events = await queue.next(LIMITS.eventBatch.value)
    const last = events.at(-1)
    if (last === undefined || stopped) return false
    const { stream, dropped } = queue.stats()
    if (!(await link.publishEvents({ device, stream, dropped, events }))) return false
    sentAtMonoMs = clock.now().monoMs
    await queue.ack(last.seq)
    return true
  }
  const run = async (): Promise<void> => {
    busy = true
    try {
      for (;;) {
        again = false
        const more = await sendOne()
        if (!more && !again) return
      }
    } catch {
      // the disk refuses to read: what waits is tried with the next wake
    } finally {
      busy = false
    }
  }
  const wake = (): void => {
    again = true
    if (!busy && !stopped) void run()
  }
  return {
    wake,
    allowance: allowed,
    stop: () => {
      stopped = true
      timer?.()
    },
  }
}
