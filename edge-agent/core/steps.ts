/**
 * Verdict -> steps, in one fixed order: the new image first, so that nothing that runs is stopped for an image that cannot
 * be had; then away with the old, then the new.
 */
import type { PodVolumes } from './pod-model.ts'
import { GRACE_SECONDS_DEFAULT, graceSecondsOf, pullPolicyOf } from './identity.ts'
import { imageUseOf } from './image-use.ts'
import type { Match } from './match.ts'
import type { ContainerPlan, ObservedContainer, Step, VerdictKind } from './model.ts'
import { actionOf } from './probe-action.ts'

/** What its pod adds; the plan is made only when a container is. */
export interface Making {
  plan(): ContainerPlan | null
  readonly volumes: PodVolumes | null
}

/** Steps of a desired container under this verdict, its extra containers removed on the way; none when nothing is to be done. */
export function stepsFor(kind: VerdictKind, match: Match, made: Making, stopGraceSeconds?: number): readonly Step[] {
  const { key, kept, older, duplicates, pod, container, role } = match
  const grace = role === 'sandbox' ? 0 : graceSecondsOf(pod)
  const ensure: Step = { kind: 'ensure-image', key, image: container.image, policy: pullPolicyOf(container), use: imageUseOf(pod) }
  const plan = kind === 'create' || kind === 'replace' ? made.plan() : null
  // the engine adapter makes the sandbox's image itself
  const image: readonly Step[] = role === 'sandbox' ? [] : [ensure]
  const create: readonly Step[] = plan === null ? [] : [{ kind: 'create', key, plan }]
  const volumes: readonly Step[] = made.volumes === null ? [] : [{ kind: 'prepare-volumes', key, volumes: made.volumes }]
  const shares = role !== 'sandbox' && pod.placement?.cpus !== undefined ? {} : ({ shares: true } as const)
  const start: Step = { kind: 'start', key, target: match.identity.name, ...shares }
  const extras = [...duplicates, ...older].flatMap((found) => removal(key, found, grace))
  switch (kind) {
    case 'create':
      return [...image, ...volumes, ...create, start]
    case 'replace':
      // what does not run may go first: a damaged image can only be fetched again when nothing is made from it
      if (kept !== null && !isRunning(kept)) return [...removal(key, kept, grace), ...image, ...extras, ...volumes, ...create, start]
      // made ahead: what runs is stopped only when the next start is all that is left to do; it goes when that is seen to run
      if (kept === null && create.length > 0 && older.every(({ specHash }) => specHash !== match.hash))
        return [...image, ...volumes, ...create, ...extras.filter(isStop), start]
      return [...image, ...extras, ...(kept === null ? [] : removal(key, kept, grace)), ...volumes, ...create, start]
    case 'start':
      return [...extras, ...volumes, { kind: 'start', key, target: kept?.id ?? match.identity.name, ...shares }]
    case 'stop':
      return kept === null ? extras : [...extras, stopStep(key, kept, stopGraceSeconds ?? grace)]
    case 'keep':
    case 'adopt':
    case 'remove':
    case 'blocked':
      return []
  }
}

/** Steps that make a container go away. Its own grace period when it is known. */
export function removal(key: string, found: ObservedContainer, graceSeconds: number | null): readonly Step[] {
  const remove: Step = { kind: 'remove', key, target: found.id }
  if (!isRunning(found)) return [remove]
  return [stopStep(key, found, graceSeconds ?? found.graceSeconds ?? GRACE_SECONDS_DEFAULT), remove]
}

/** Its preStop hook travels with the stop. Without grace, or without an address to ask, there is none. */
function stopStep(key: string, found: ObservedContainer, graceSeconds: number): Step {
  const action =
    found.preStop === undefined || graceSeconds === 0 || found.state !== 'running' ? null : actionOf(found.preStop, [], found.id, found.ip)
  const preStop = action === null || typeof action === 'string' ? {} : { preStop: action }
  return { kind: 'stop', key, target: found.id, graceSeconds, ...preStop }
}

function isStop({ kind }: Step): boolean {
  return kind === 'stop'
}

function isRunning({ state }: ObservedContainer): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}
