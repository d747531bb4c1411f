/** Who takes part, and in which wave: decided once, from the devices as they are now. Equal input gives equal lists. */
import { cause } from '../../../protocol/causes.ts'
import type { Cause, WireCause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { RolloutSpec, Wave } from '../../resources/rollout-spec.ts'
import type { Labels } from '../../resources/label-selector.ts'
import { compareText } from '../meta.ts'
import { chooser, exclusionOf, hasTarget, targetOf } from './choice.ts'

export interface Candidate {
  readonly name: string
  readonly labels: Labels | undefined
  /** at least one of the DaemonSets runs there */
  readonly eligible: boolean
  /** why the new revision cannot run there; null = it can, as far as is known */
  readonly refused: WireCause | null
  /** not heard now: it proves nothing, so waves by number take the others first */
  readonly silent: boolean
}

export type Frozen = { readonly ok: true; readonly members: readonly RolloutMember[] } | { readonly ok: false; readonly cause: Cause }

/** Members in the order of waves, within a wave by name. */
export function freeze(spec: RolloutSpec, candidates: readonly Candidate[], nowMs: number): Frozen {
  const isTarget = targetOf(spec)
  const excluded = exclusionOf(spec)
  const named = hasTarget(spec)
  const chosen = candidates.filter((one) => isTarget(one.name, one.labels) && (named || one.eligible)).toSorted((a, b) => compareText(a.name, b.name))
  if (chosen.length === 0)
    return {
      ok: false,
      cause: cause('rollout.no-members', { nodes: candidates.length, eligible: candidates.filter(({ eligible }) => eligible).length }),
    }
  const max = LIMITS.rolloutMembers.value
  if (chosen.length > max) return { ok: false, cause: cause('rollout.too-many-members', { members: chosen.length, max }) }
  const fresh = chosen.map((one) => newMember(spec, one, excluded(one.name, one.labels), nowMs))
  const takesPart = new Set(fresh.filter(({ verdict }) => verdict === 'pending').map(({ node }) => node))
  const waves = assignWaves(wavesOf(spec), chosen, takesPart)
  const members = fresh.map((member): RolloutMember => ({ ...member, wave: waves.get(member.node) ?? 1 }))
  return { ok: true, members: members.toSorted((a, b) => a.wave - b.wave || compareText(a.node, b.node)) }
}

/** A member before anything happened; `wave` is set by the caller. */
export function newMember(spec: RolloutSpec, one: Candidate, excluded: string | null, nowMs: number): RolloutMember {
  const skip = !one.eligible ? cause('rollout.not-eligible') : excluded === null ? one.refused : cause('rollout.excluded', { reason: excluded })
  const member = { node: one.name, wave: 1, since: nowMs } as const
  if (skip === null) return { ...member, verdict: 'pending', template: 'own' }
  return { ...member, verdict: 'skipped', template: templateBack(spec), cause: skip }
}

/** What a device that is left out or goes back runs: the DaemonSet's own template would become the new one at the end. */
export function templateBack(spec: RolloutSpec): 'own' | 'previous' {
  return hasTarget(spec) ? 'own' : 'previous'
}

/** The waves of the spec, and a last one for those that they leave over. */
export function wavesOf(spec: RolloutSpec): readonly Wave[] {
  const waves = spec.waves ?? []
  const last = waves.at(-1)
  return last === undefined || takesSome(last) ? [...waves, { name: waves.some(({ name }) => name === 'rest') ? 'others' : 'rest' }] : waves
}

function takesSome({ percent, count, selector, names }: Wave): boolean {
  return percent !== undefined || count !== undefined || selector !== undefined || names !== undefined
}

/** The name of a wave as it is shown. */
export function waveName(waves: readonly Wave[], number: number): string {
  return number > waves.length ? 'late' : (waves[number - 1]?.name ?? `wave ${number}`)
}

/** Waves that choose by label or name take theirs first, so that a count in an earlier wave does not use them up. */
function assignWaves(waves: readonly Wave[], chosen: readonly Candidate[], takesPart: ReadonlySet<string>): ReadonlyMap<string, number> {
  const out = new Map<string, number>()
  for (const [index, wave] of waves.entries()) {
    if (wave.selector === undefined && wave.names === undefined) continue
    const has = chooser(wave)
    for (const one of chosen) if (!out.has(one.name) && has(one.name, one.labels)) out.set(one.name, index + 1)
  }
  const free = chosen.filter((one) => !out.has(one.name)).toSorted((a, b) => Number(a.silent) - Number(b.silent))
  let next = 0
  for (const [index, wave] of waves.entries()) {
    if (wave.selector !== undefined || wave.names !== undefined) continue
    const wanted = wave.count ?? (wave.percent === undefined ? free.length : Math.ceil((wave.percent * chosen.length) / 100))
    // devices that are left out do not use up a canary
    for (let taken = 0; taken < wanted && next < free.length; next += 1) {
      const one = free[next]
      if (one === undefined) break
      out.set(one.name, index + 1)
      if (takesPart.has(one.name)) taken += 1
    }
  }
  return out
}
