/** What can be said of one device in a rollout. Exactly one verdict a member, so that the counts add up. */
import { int, obj } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'

/**
 * pending: its wave has not started. queued: its wave runs, it waits for a free place (maxParallel, start window). The next
 * seven are under way. done: healthy on the new revision for the soak time. offline: silent, judged by `spec.silence`; it goes
 * on when it is heard. skipped: left out, with the cause. held: a person on site keeps the old revision.
 */
export const VERDICTS = [
  'pending',
  'queued',
  'downloading',
  'waitingForWindow',
  'locked',
  'updating',
  'soaking',
  'held',
  'returning',
  'done',
  'failed',
  'rolledBackByDevice',
  'offline',
  'skipped',
  'returned',
] as const

export type Verdict = (typeof VERDICTS)[number]

/** How many members have each verdict; `members` is their sum. */
export const VERDICT_COUNTS = obj({
  members: int(),
  pending: int(),
  queued: int(),
  downloading: int(),
  waitingForWindow: int(),
  locked: int(),
  updating: int(),
  soaking: int(),
  held: int(),
  returning: int(),
  done: int(),
  failed: int(),
  rolledBackByDevice: int(),
  offline: int(),
  skipped: int(),
  returned: int(),
})

export type VerdictCounts = Infer<typeof VERDICT_COUNTS>

/** Words for people. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pending: 'pending',
  queued: 'queued',
  downloading: 'downloading',
  waitingForWindow: 'waiting for window',
  locked: 'locked',
  updating: 'updating',
  soaking: 'soaking',
  held: 'held',
  returning: 'going back',
  done: 'done',
  failed: 'failed',
  rolledBackByDevice: 'rolled back by device',
  offline: 'offline',
  skipped: 'skipped',
  returned: 'went back',
}
