/**
 * Where the members of a Rollout are kept: frozen once, in chunks beside the Rollout, because ten thousand names do not fit
 * one object. Not served as a kind of the API; `GET .../rollouts/NAME/members` reads them. The controller is the only writer.
 *
 *   rolloutmembers.skerry.dev  NAME.0, NAME.1, ...  in the namespace of the Rollout: LIMITS.rolloutChunkMembers members each, in the
 *                              order of waves (wave 1 first), so that those at work are close together
 *   rolloutreleases.skerry.dev NAME                 the templates before and after, for each DaemonSet
 *
 * A plan has the same two under the name `plan.<id>`, with every member pending or skipped.
 */
import type { WireCause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { KubeObject } from './object.ts'
import type { PodTemplate } from './pod-template.ts'
import type { RolloutSpec } from './rollout-spec.ts'
import type { Verdict } from './rollout-verdict.ts'

export const ROLLOUT_MEMBERS = 'rolloutmembers.skerry.dev'
export const ROLLOUT_RELEASES = 'rolloutreleases.skerry.dev'

export interface RolloutMember {
  /** name of the Node */
  readonly node: string
  /** the first is 1; late joiners have the number behind the last wave */
  readonly wave: number
  readonly verdict: Verdict
  /** milliseconds since 1970: since when the verdict holds */
  readonly since: number
  /** why it failed, was skipped, waits or is offline */
  readonly cause?: WireCause
  /**
   * next: its pods get the new template. previous: they are held at the template that was before the rollout. own: the
   * DaemonSet's own template. Which template a device gets depends on this field alone, and only as it is stored.
   */
  readonly template: 'own' | 'next' | 'previous'
  /** milliseconds since 1970 from which its deadline counts */
  readonly startedAt?: number
  /** how often it was tried again */
  readonly attempt?: number
}

export interface RolloutMembers extends KubeObject {
  readonly spec: { readonly rolloutUid: string; readonly index: number; readonly members: readonly RolloutMember[] }
}

export interface ReleaseTemplates {
  readonly daemonSet: string
  readonly daemonSetUid: string
  readonly previous: PodTemplate
  readonly next: PodTemplate
}

/** What a plan keeps beside templates and members: enough to show it again. */
export interface PlanFacts {
  readonly madeAt: string
  readonly chunks: number
  /** of what the Rollout must ask for, to start from it */
  readonly digest: string
  readonly name: string
  readonly spec: RolloutSpec
}

export interface RolloutRelease extends KubeObject {
  readonly spec: {
    readonly rolloutUid: string
    readonly parts: readonly ReleaseTemplates[]
    readonly plan?: PlanFacts
  }
}

/** Name of the object with this chunk of members. */
export function chunkName(owner: string, index: number): string {
  return `${owner}.${index}`
}

/** What the objects of a plan are called: no Rollout can have a name with a dot. */
export function planName(planId: string): string {
  return `plan.${planId}`
}

/** Members in the order of waves, cut into chunks. */
export function chunksOf(members: readonly RolloutMember[]): readonly (readonly RolloutMember[])[] {
  const size = LIMITS.rolloutChunkMembers.value
  return Array.from({ length: Math.ceil(members.length / size) }, (_, index) => members.slice(index * size, (index + 1) * size))
}
