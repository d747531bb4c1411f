/** Annotations that say how workloads are updated and fenced on devices: read into the policy of a document, and what is wrong with them. */
import { openZone } from '../../protocol/calendar.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { check, isRecord } from '../../protocol/shape.ts'
import type { Issue } from '../../protocol/shape.ts'
import { UPDATE_LOCK } from '../../protocol/update-policy.ts'
import type { PodPolicy, UpdateLock } from '../../protocol/update-policy.ts'
import { parseWindows } from '../../protocol/update-window.ts'
import { pullRateIssues } from './pull-rate.ts'
import { parseStamp } from '../../protocol/stamp.ts'

/** on a DaemonSet. InPlace: pods keep name and uid, and the device switches by itself; Recreate (default): new pods */
export const UPDATE_STRATEGY_ANNOTATION = 'skerry.dev/update-strategy'
export const UPDATE_WINDOW_ANNOTATION = 'skerry.dev/update-window'
export const TIME_ZONE_ANNOTATION = 'skerry.dev/time-zone'
export const READY_DEADLINE_ANNOTATION = 'skerry.dev/ready-deadline'
export const ROLLBACK_ANNOTATION = 'skerry.dev/rollback'
/** `{"owner":"…","reason":"…","expires":"2026-12-01T06:00:00Z"}` */
export const UPDATE_LOCK_ANNOTATION = 'skerry.dev/update-lock'
export const DISCONNECT_STOP_ANNOTATION = 'skerry.dev/disconnect-stop-after'
export const DISCONNECT_RETURN_ANNOTATION = 'skerry.dev/disconnect-return'

export const DISCONNECT_RETURNS = ['keep-original', 'keep-replacement', 'best', 'longest-running'] as const
export type DisconnectReturn = (typeof DISCONNECT_RETURNS)[number]

type Annotations = Readonly<Record<string, string>> | undefined

/** What one annotation adds to the policy, or why it cannot. */
type Reading = Partial<PodPolicy> | string

const READERS: Readonly<Record<string, (text: string) => Reading>> = {
  [UPDATE_WINDOW_ANNOTATION]: (text) => {
    const parsed = parseWindows(text)
    if (text.length > LIMITS.updateWindowLength.value) return `must be at most ${LIMITS.updateWindowLength.value} characters, is ${text.length}`
    return parsed.ok ? { window: text } : parsed.why
  },
  [TIME_ZONE_ANNOTATION]: (text) =>
    text.length > 64 || openZone(text) === null
      ? `${JSON.stringify(text)} is not a time zone; use an IANA name such as "Europe/Berlin"`
      : { timeZone: text },
  [READY_DEADLINE_ANNOTATION]: (text) => seconds(text, LIMITS.readyDeadlineMaxMs.value, (readySeconds) => ({ readySeconds })),
  [ROLLBACK_ANNOTATION]: (text) =>
    text === 'true' || text === 'false' ? { rollback: text === 'true' } : `${JSON.stringify(text)} is not supported; use "true" or "false"`,
  [UPDATE_LOCK_ANNOTATION]: (text) => {
    const lock = readLock(text)
    return typeof lock === 'string' ? lock : { lock }
  },
  [DISCONNECT_STOP_ANNOTATION]: (text) => seconds(text, LIMITS.disconnectStopMaxMs.value, (stopAfterSeconds) => ({ stopAfterSeconds })),
}

/** The policy of a pod; what cannot be read is left out. Null = nothing is said. */
export function podPolicy(annotations: Annotations): PodPolicy | null {
  const parts = Object.entries(READERS).flatMap(([key, read]) => {
    const text = annotations?.[key]
    const reading = text === undefined ? '' : read(text)
    return typeof reading === 'string' ? [] : [reading]
  })
  return parts.length === 0 ? null : Object.assign({}, ...parts)
}

/** Issues of a pod's annotations, or of a template's; `at` is where the metadata stands. */
export function policyIssues(annotations: Annotations, at: string): readonly Issue[] {
  const issues: Issue[] = Object.entries(READERS).flatMap(([key, read]): readonly Issue[] => {
    const text = annotations?.[key]
    const reading = text === undefined ? {} : read(text)
    return typeof reading === 'string' ? [issue(key, reading, at)] : []
  })
  issues.push(...pullRateIssues(annotations, at))
  const back = annotations?.[DISCONNECT_RETURN_ANNOTATION]
  if (back !== undefined && !DISCONNECT_RETURNS.some((one) => one === back)) {
    const names = DISCONNECT_RETURNS.map((one) => JSON.stringify(one)).join(', ')
    return [...issues, issue(DISCONNECT_RETURN_ANNOTATION, `${JSON.stringify(back)} is not supported; use one of ${names}`, at)]
  }
  return issues
}

/** Of a DaemonSet; `type` is that of its updateStrategy. */
export function strategyAnnotationIssues(annotations: Annotations, type: string | undefined): readonly Issue[] {
  const value = annotations?.[UPDATE_STRATEGY_ANNOTATION]
  if (value === undefined || value === 'Recreate') return []
  const wrong = (message: string): readonly Issue[] => [issue(UPDATE_STRATEGY_ANNOTATION, message, 'metadata')]
  if (value !== 'InPlace') return wrong(`${JSON.stringify(value)} is not supported; use one of "InPlace", "Recreate"`)
  return type === 'OnDelete' ? wrong('"InPlace" needs spec.updateStrategy.type "RollingUpdate": with "OnDelete" no pod is ever updated') : []
}

function issue(key: string, message: string, at: string): Issue {
  return { path: `${at}.annotations[${JSON.stringify(key)}]`, kind: 'invalid', message }
}

function seconds(text: string, maxMs: number, policy: (value: number) => Partial<PodPolicy>): Reading {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  const max = maxMs / 1000
  return value >= 1 && value <= max ? policy(value) : `${JSON.stringify(text)} is not a number of seconds from 1 to ${max}`
}

function readLock(text: string): UpdateLock | string {
  const form = 'write {"owner":"who","reason":"why","expires":"2026-12-01T06:00:00Z"}'
  let value: unknown = null
  try {
    value = JSON.parse(text)
  } catch {
    return `is not JSON; ${form}`
  }
  const [first] = check(UPDATE_LOCK, value, '', 'refuse')
  if (!isRecord(value) || first !== undefined) return `${first?.path ?? ''} ${first?.message ?? 'is not an object'}; ${form}`.trim()
  const lock = value as UpdateLock
  return Number.isNaN(parseStamp(lock.expires)) ? `expires ${JSON.stringify(lock.expires)} is not a time; ${form}` : lock
}
