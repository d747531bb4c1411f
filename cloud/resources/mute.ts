/**
 * Mute (skerry.dev/v1): somebody knows of a problem and does not want to be told of it until a time. Nothing is decided by it: devices
 * and pods keep their states, lists and metrics show them. The server writes who it was; it ends by itself.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

export const MUTE_SHAPE = obj({
  apiVersion: required(oneOf('skerry.dev/v1')),
  kind: required(oneOf('Mute')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      /** code of a cause, or its sentence where it has none */
      problem: required(str({ min: 1, max: 512 })),
      /** RFC 3339; cut to the longest that a mute may last */
      until: required(str({ max: 40 })),
      reason: required(str({ min: 3, max: 1024 })),
    }),
  ),
  /** who made or changed it last; written by the server */
  by: str({ max: 253 }),
})
export type Mute = Infer<typeof MUTE_SHAPE>

export const MUTES = defineResource<Mute>({
  group: 'skerry.dev',
  version: 'v1',
  kind: 'Mute',
  plural: 'mutes',
  shortNames: [],
  namespaced: false,
  nameRule: 'subdomain',
  shape: MUTE_SHAPE,
  generationFields: ['spec'],
  rules: ({ spec }) => untilIssues(spec.until),
  stamp: (mute, _old, { name, nowIso }) => ({ ...mute, by: name.slice(0, 253), spec: { ...mute.spec, until: atMost(mute.spec.until, nowIso) } }),
  columns: [
    NAME_COLUMN,
    column('Problem', 'string', 'What is not told of.'),
    column('Until', 'string', 'When it ends by itself.'),
    column('By', 'string', 'Who muted it.'),
    AGE_COLUMN,
    column('Reason', 'string', 'Why.', { wide: true }),
  ],
  cells: (mute, nowMs) => [nameCell(mute), mute.spec.problem, mute.spec.until, mute.by ?? '', ageCell(mute, nowMs), mute.spec.reason],
})

function untilIssues(until: string): readonly Issue[] {
  if (!Number.isNaN(parseStamp(until))) return []
  return [{ path: 'spec.until', kind: 'invalid', message: `${JSON.stringify(until)} is not a time such as 2026-01-31T10:00:00Z` }]
}

function atMost(until: string, nowIso: string): string {
  const longest = parseStamp(nowIso) + LIMITS.muteMs.value
  return parseStamp(until) <= longest ? until : new Date(longest).toISOString()
}
