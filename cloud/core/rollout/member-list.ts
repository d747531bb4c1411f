/** Members of a rollout as they are asked for: by wave, verdict, cause or name, a page at a time. */
import { causeSentence } from '../../../protocol/causes.ts'
import type { WireCause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import { VERDICTS } from '../../resources/rollout-verdict.ts'
import type { Verdict } from '../../resources/rollout-verdict.ts'
import { isoOf } from './judge.ts'

export interface MemberQuery {
  readonly wave: number | null
  readonly verdicts: readonly Verdict[] | null
  /** code of a cause */
  readonly cause: string | null
  /** a part of the name */
  readonly name: string | null
  readonly limit: number
  readonly offset: number
}

export interface ShownMember {
  readonly node: string
  readonly wave: number
  readonly verdict: Verdict
  /** RFC 3339 */
  readonly since: string
  readonly template: RolloutMember['template']
  readonly attempt?: number
  readonly cause?: WireCause
  /** the cause as a sentence */
  readonly sentence?: string
}

/** The query of a URL; a word that is not understood is refused with what is. */
export function readMemberQuery(
  get: (name: string) => string | null,
): { readonly ok: true; readonly query: MemberQuery } | { readonly ok: false; readonly why: string } {
  const faults: string[] = []
  const whole = (name: string, fallback: number | null, max: number): number | null => {
    const text = get(name)
    if (text === null) return fallback
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value <= max) return value
    faults.push(`${name} must be a whole number up to ${max}, is ${JSON.stringify(text)}`)
    return fallback
  }
  const words = get('verdict')?.split(',') ?? null
  const verdicts = words === null ? null : VERDICTS.filter((verdict) => words.includes(verdict))
  const unknown = words?.find((word) => !VERDICTS.some((verdict) => verdict === word))
  if (unknown !== undefined) faults.push(`verdict ${JSON.stringify(unknown)} is not one of ${VERDICTS.join(', ')}`)
  const query: MemberQuery = {
    wave: whole('wave', null, LIMITS.rolloutWaves.value + 1),
    verdicts,
    cause: get('cause'),
    name: get('name'),
    limit: whole('limit', LIMITS.listPage.value, LIMITS.rolloutMembers.value) ?? LIMITS.listPage.value,
    offset: whole('offset', 0, LIMITS.rolloutMembers.value) ?? 0,
  }
  return faults[0] === undefined ? { ok: true, query } : { ok: false, why: faults.join('; ') }
}

export function selectMembers(
  members: readonly RolloutMember[],
  query: MemberQuery,
): { readonly total: number; readonly items: readonly ShownMember[] } {
  const found = members.filter(
    (member) =>
      (query.wave === null || member.wave === query.wave) &&
      (query.verdicts === null || query.verdicts.includes(member.verdict)) &&
      (query.cause === null || member.cause?.code === query.cause) &&
      (query.name === null || member.node.includes(query.name)),
  )
  return { total: found.length, items: found.slice(query.offset, query.offset + query.limit).map(shown) }
}

function shown({ node, wave, verdict, since, template, attempt, cause }: RolloutMember): ShownMember {
  return {
    node,
    wave,
    verdict,
    since: isoOf(since),
    template,
    ...(attempt === undefined ? {} : { attempt }),
    ...(cause === undefined ? {} : { cause, sentence: causeSentence(cause) }),
  }
}
