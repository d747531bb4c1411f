/**
 * Verdict -> steps, in one fixed order: the new image first, so that nothing that runs is stopped for an image that cannot
 * be had; then away with the old, then the new.
 */
import { GRACE_SECONDS_DEFAULT, containerPlan, graceSecondsOf, pullPolicyOf } from './identity.ts'
import { imageUseOf } from './image-use.ts'
import type { Match } from './match.ts'
import type { ObservedContainer, Step, VerdictKind } from './model.ts'
import { actionOf } from './probe-action.ts'

/** Steps of a desired container under this verdict, its extra containers removed on the way; none when nothing is to be done. */
export function stepsFor(kind: VerdictKind, match: Match, device: string, stopGraceSeconds?: number): readonly Step[] {
  const { key, kept, older, duplicates, pod, container } = match
  const ensure: Step = { kind: 'ensure-image', key, image: container.image, policy: pullPolicyOf(container), use: imageUseOf(pod) }
  const create: Step = { kind: 'create', key, plan: containerPlan(device, pod, container) }
  const start: Step = { kind: 'start', key, target: match.identity.name }
  const extras = [...duplicates, ...older].flatMap((found) => removal(key, found, graceSecondsOf(pod)))
  switch (kind) {
    case 'create':
      return [ensure, create, start]
    case 'replace':
      return [ensure, ...extras, ...(kept === null ? [] : removal(key, kept, graceSecondsOf(pod))), create, start]
    case 'start':
      return [...extras, { kind: 'start', key, target: kept?.id ?? match.identity.name }]
    case 'stop':
      return kept === null ? extras : [...extras, stopStep(key, kept, stopGraceSeconds ?? graceSecondsOf(pod))]
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
  if (found.state !== 'running' && found.state !== 'paused' && found.state !== 'restarting') return [remove]
  return [stopStep(key, found, graceSeconds ?? found.graceSeconds ?? GRACE_SECONDS_DEFAULT), remove]
}

/** Its preStop hook travels with the stop. Without grace, or without an address to ask, there is none. */
function stopStep(key: string, found: ObservedContainer, graceSeconds: number): Step {
  const action =
    found.preStop === undefined || graceSeconds === 0 || found.state !== 'running' ? null : actionOf(found.preStop, [], found.id, found.ip)
  const preStop = action === null || typeof action === 'string' ? {} : { preStop: action }
  return { kind: 'stop', key, target: found.id, graceSeconds, ...preStop }
}
