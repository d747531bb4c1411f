/** How a failed question is told. */
import { LIMITS, clip } from '../../protocol/limits.ts'
import type { ProbeAnswer } from '../core/probe-model.ts'

/** A failure with its reason, cut to what a report takes. */
export function failure(message: string): ProbeAnswer {
  return { verdict: 'failure', message: clip(message.trim(), LIMITS.statusMessageText.value) }
}

export function noAnswer(timeoutMs: number): ProbeAnswer {
  return failure(`no answer within ${timeoutMs / 1000} s`)
}
