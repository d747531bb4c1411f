/**
 * Which template a node gets of a DaemonSet while there are rollouts for it. INVARIANTS: it depends only on what is stored; of
 * several rollouts the newest that has something to say about the node decides; a rollout that was adopted says nothing but
 * who is held back, and an aborted one nothing but who stays.
 */
import type { PodTemplate } from '../../resources/pod-template.ts'
import type { ReleaseTemplates, RolloutMember } from '../../resources/rollout-members.ts'
import type { Rollout } from '../../resources/rollout.ts'
import { attemptTemplate } from './templates.ts'

export interface StoredRollout {
  readonly rollout: Rollout
  readonly parts: readonly ReleaseTemplates[]
  memberOf(node: string): RolloutMember | undefined
}

export interface Overlay {
  /** null = the DaemonSet's own */
  templateOf(node: string): PodTemplate | null
  /** a rollout has begun with this device: it sets the pace, not maxUnavailable of the DaemonSet */
  isPaced(node: string): boolean
}

/** @param stored newest first */
export function overlayOf(daemonSetUid: string, stored: readonly StoredRollout[]): Overlay {
  const layers = stored.flatMap((one) => {
    const part = one.parts.find((candidate) => candidate.daemonSetUid === daemonSetUid)
    return part === undefined ? [] : [{ ...one, memberOf: (node: string) => one.memberOf(node), template: templates(part) }]
  })
  return {
    templateOf(node) {
      for (const { rollout, memberOf, template } of layers) {
        const member = memberOf(node)
        const found = member === undefined ? null : template(rollout, member)
        if (found !== null) return found
      }
      return null
    },
    isPaced: (node) => layers.some(({ memberOf }) => memberOf(node)?.startedAt !== undefined),
  }
}

/** The same object for the same template, so that it is hashed once. */
function templates({ previous, next }: ReleaseTemplates): (rollout: Rollout, member: RolloutMember) => PodTemplate | null {
  const attempts = new Map<number, PodTemplate>([[0, next]])
  return ({ spec, status }, member) => {
    if (member.template === 'previous') return spec.abort === undefined ? previous : null
    if (member.template !== 'next' || status?.adopted === true) return null
    const attempt = member.attempt ?? 0
    const known = attempts.get(attempt) ?? attemptTemplate(next, attempt)
    attempts.set(attempt, known)
    return known
  }
}
