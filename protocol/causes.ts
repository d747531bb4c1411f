/**
 * The one cause table. API errors, reports, the local page, the console, the CLI and the docs all speak through it: what
 * happened, with numbers, whether waiting helps, and one thing to do. Codes are stable: general to specific.
 */
import { map, num, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

import { CLOCK_CAUSES } from './causes-clock.ts'
import { CONTACT_CAUSES } from './causes-contact.ts'
import { DEVICE_CAUSES } from './causes-device.ts'
import { POD_CAUSES } from './causes-pod.ts'
import { PLACEMENT_CAUSES } from './causes-placement.ts'
import { ROLLOUT_CAUSES } from './causes-rollout.ts'
import { SERVICE_CAUSES } from './causes-service.ts'
import { TOPOLOGY_CAUSES } from './causes-topology.ts'
import { UPDATE_CAUSES } from './causes-update.ts'
import type { CauseClass, CauseEntry, Retry } from './cause-entry.ts'

export const CAUSES = {
  ...PLACEMENT_CAUSES,
  ...TOPOLOGY_CAUSES,
  ...CONTACT_CAUSES,
  ...DEVICE_CAUSES,
  ...CLOCK_CAUSES,
  ...POD_CAUSES,
  ...UPDATE_CAUSES,
  ...ROLLOUT_CAUSES,
  ...SERVICE_CAUSES,
} as const satisfies Record<string, CauseEntry>

export type CauseCode = keyof typeof CAUSES

/** A cause as it travels: code and numbers. The sentence is made from the table by whoever shows it. */
export const CAUSE = obj({
  code: required(str({ max: 128 })),
  facts: map(str({ max: 1024 }), { max: 16 }),
  /** milliseconds from the report's `at` until the next try, when one is planned */
  retryInMs: num(),
})
export type WireCause = Infer<typeof CAUSE>

export interface Cause {
  readonly code: CauseCode
  readonly facts: Readonly<Record<string, string>>
  readonly retryInMs?: number
}

export function cause(code: CauseCode, facts: Readonly<Record<string, string | number>> = {}, retryInMs?: number): Cause {
  const text: Record<string, string> = {}
  for (const [key, value] of Object.entries(facts)) text[key] = String(value).slice(0, 1024)
  return retryInMs === undefined ? { code, facts: text } : { code, facts: text, retryInMs }
}

export function isCauseCode(code: string): code is CauseCode {
  return Object.hasOwn(CAUSES, code)
}

/** `says` with its slots filled. Unknown codes (from a newer agent) are shown as they are. */
export function causeSentence(cause: { readonly code: string; readonly facts?: Readonly<Record<string, string>> }): string {
  if (!isCauseCode(cause.code)) return cause.code
  return filled(CAUSES[cause.code].says, cause.facts ?? {})
}

/** All that an API says of a refusal: the sentence, what to do next, and the code to look it up by. */
export function causeInFull({ code, facts }: Cause): string {
  return `${causeSentence({ code, facts })} ${filled(causeAdvice(code).next, facts)} (${code})`
}

function filled(text: string, facts: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-zA-Z]+)\}/g, (_, key: string) => (Object.hasOwn(facts, key) ? (facts[key] ?? '?') : '?'))
}

/** What to do next, and whether waiting helps. */
export function causeAdvice(code: string): { readonly next: string; readonly retry: Retry; readonly class: CauseClass } {
  return isCauseCode(code) ? CAUSES[code] : { next: 'Update the cloud: this cause is newer than it knows.', retry: 'backoff', class: 'device' }
}
