/**
 * Containers with CPUs of their own that may be starting, unseen. INVARIANTS
 * - An owner that a wave makes or starts holds its CPUs until that wave has ended and a look at the engine that began afterwards
 *   is in: only then does the engine tell whether it runs. That holds also when the newest document no longer wants it.
 * - A look that was on the way when a wave ended frees nothing.
 */
import type { Lane, ObservedContainer, Step } from './model.ts'

/** A pod whose containers may begin to run at any moment on CPUs that are its own. */
export interface StartingOwner {
  readonly podUid: string
  /** Linux list format, never empty */
  readonly cpus: string
}

interface Wave {
  readonly lanes: readonly Lane[]
}

/** What of the agent's state tells. */
interface AtWork {
  readonly wave: Wave | null
  readonly imageWaves: readonly Wave[]
  readonly observed: readonly ObservedContainer[] | null
  /** owners that a wave worked on which has ended, and nobody has looked since */
  readonly ownersUnseen?: readonly StartingOwner[]
}

export function startingOwners({ wave, imageWaves, observed, ownersUnseen = [] }: AtWork): readonly StartingOwner[] {
  const waves = wave === null ? imageWaves : [...imageWaves, wave]
  return [...ownersUnseen, ...waves.flatMap((one) => ownersOf(one, observed ?? []))]
}

/** The state after a wave has ended, when nobody has looked yet what became of its owners. */
export function withUnseenOwners<S extends AtWork>(state: S, wave: Wave): S {
  const owners = ownersOf(wave, state.observed ?? [])
  return owners.length === 0 ? state : { ...state, ownersUnseen: [...(state.ownersUnseen ?? []), ...owners] }
}

/** The state after a look at the engine; `fresh` = it began after the last wave ended. */
export function withOwnersSeen<S extends AtWork>(state: S, fresh: boolean): S {
  return !fresh || (state.ownersUnseen ?? []).length === 0 ? state : { ...state, ownersUnseen: [] }
}

function ownersOf({ lanes }: Wave, observed: readonly ObservedContainer[]): readonly StartingOwner[] {
  return lanes.flatMap(({ steps }) => steps.flatMap((step) => ownerOf(step, observed)))
}

function ownerOf(step: Step, observed: readonly ObservedContainer[]): readonly StartingOwner[] {
  if (step.kind === 'create') return owner(step.plan.identity.podUid, step.plan.placement?.cpus)
  if (step.kind !== 'start') return []
  const found = observed.find(({ id, name }) => id === step.target || name === step.target)
  return found === undefined ? [] : owner(found.podUid, found.ownCpus)
}

function owner(podUid: string, cpus: string | undefined): readonly StartingOwner[] {
  return cpus === undefined || cpus === '' ? [] : [{ podUid, cpus }]
}
