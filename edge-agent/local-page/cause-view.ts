import { causeAdvice, causeSentence } from '../../protocol/causes.ts'
import type { Retry } from '../../protocol/cause-entry.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { Now } from '../core/model.ts'
import type { CauseView } from './view-model.ts'

const WAITING: Readonly<Record<Retry, string>> = {
  never: 'Waiting does not help.',
  backoff: 'It is tried again by itself.',
  'when-target-changes': 'It stays so until the workload is changed in the cloud.',
  'when-resource-appears': 'It goes on by itself when that is there.',
}

/**
 * A cause in plain words.
 * @param notBeforeMonoMs the monotonic moment of the next try, when the planner knows it
 */
export function causeView(cause: Cause, now: Now, notBeforeMonoMs?: number | null): CauseView {
  const advice = causeAdvice(cause.code)
  return {
    code: cause.code,
    says: sentence(causeSentence(cause)),
    next: advice.next,
    waiting: WAITING[advice.retry],
    nextTryAtMs: notBeforeMonoMs === undefined || notBeforeMonoMs === null ? null : wallOf(notBeforeMonoMs, now),
  }
}

/** Monotonic moments mean nothing to people: the same moment on the device's wall clock. */
function wallOf(monoMs: number, now: Now): number {
  return Math.round(now.wallMs + (monoMs - now.monoMs))
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?\u2026]$/.test(first) ? first : `${first}.`
}
