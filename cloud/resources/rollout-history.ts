/** Who changed a Rollout, and why: the server writes it at admission, so that an edit by kubectl is as well explained as one by skerry. */
import { LIMITS } from '../../protocol/limits.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { int, list, obj, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import type { ObjectMeta } from './object.ts'
import type { RolloutSpec } from './rollout-spec.ts'

/** Send it with a change to say why; it is moved into `history` and not kept as an annotation. */
export const REASON_ANNOTATION = 'skerry.dev/reason'

export const ROLLOUT_CHANGE = obj({
  generation: required(int()),
  at: required(str({ max: 40 })),
  by: required(str({ max: 253 })),
  reason: str({ max: 1024 }),
  /** created, paused, resumed, approved, promoted, retried, excluded, rolled-back, aborted, changed */
  actions: required(list(str({ max: 32 }), { max: 16 })),
})
export type RolloutChange = Infer<typeof ROLLOUT_CHANGE>

export const ROLLOUT_HISTORY = list(ROLLOUT_CHANGE, { max: LIMITS.rolloutDecisions.value })

interface Changed {
  readonly metadata: ObjectMeta
  readonly spec: RolloutSpec
  readonly history?: readonly RolloutChange[]
}

/** The object with its newest change in `history`; what the client sent there is ignored. `old` is null on create. */
export function withHistory<O extends Changed>(next: O, old: O | null, by: { readonly name: string; readonly nowIso: string }): O {
  const { [REASON_ANNOTATION]: said, ...annotations } = next.metadata.annotations ?? {}
  const metadata = next.metadata.annotations === undefined ? next.metadata : { ...next.metadata, annotations }
  const before = old?.history ?? []
  const actions = old === null ? ['created'] : actionsBetween(old.spec, next.spec)
  if (actions.length === 0) return old?.history === undefined ? { ...withoutHistory(next), metadata } : { ...next, metadata, history: before }
  const change: RolloutChange = {
    generation: next.metadata.generation ?? 1,
    at: by.nowIso,
    by: by.name.slice(0, 253),
    ...(said === undefined || said === '' ? {} : { reason: said.slice(0, 1024) }),
    actions,
  }
  return { ...next, metadata, history: [...before, change].slice(-LIMITS.rolloutDecisions.value) }
}

function withoutHistory<O extends Changed>(object: O): O {
  const { history: _sent, ...rest } = object
  return rest as O
}

type Field = keyof RolloutSpec

/** What an operator did, read from the two states. */
function actionsBetween(old: RolloutSpec, next: RolloutSpec): readonly string[] {
  const moved = (field: Field): boolean => canonicalJson(old[field] ?? null) !== canonicalJson(next[field] ?? null)
  const out: string[] = []
  if ((old.paused ?? false) !== (next.paused ?? false)) out.push(next.paused === true ? 'paused' : 'resumed')
  else if (moved('acknowledgedPauses')) out.push('resumed')
  for (const [field, action] of ACTION_OF) if (moved(field)) out.push(action)
  const named = new Set<string>(['paused', 'acknowledgedPauses', ...ACTION_OF.map(([field]) => field)])
  const fields = new Set([...Object.keys(old), ...Object.keys(next)])
  if ([...fields].some((field) => !named.has(field) && moved(field as Field))) out.push('changed')
  return out
}

const ACTION_OF: readonly (readonly [Field, string])[] = [
  ['approvedWave', 'approved'],
  ['promotedWave', 'promoted'],
  ['retries', 'retried'],
  ['exclude', 'excluded'],
  ['rolledBackWaves', 'rolled-back'],
  ['abort', 'aborted'],
]
