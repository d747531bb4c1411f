/** Step -> engine call -> outcome. */
import { cause } from '../../protocol/causes.ts'
import { clip, LIMITS } from '../../protocol/limits.ts'
import type { Outcome, Step } from '../core/model.ts'
import { stepText } from '../core/render-plan.ts'
import { stopContainer } from './stop-step.ts'
import type { StopParts } from './stop-step.ts'

type StepOf<K extends Step['kind']> = Extract<Step, { readonly kind: K }>

/** How a kind is done, and by when the engine adapter ends it by itself. */
interface StepRow<S> {
  run(parts: StopParts, step: S, signal: AbortSignal): Promise<Outcome>
  limitMs(step: S): number
}

const STEPS: { readonly [K in Step['kind']]: StepRow<StepOf<K>> } = {
  'ensure-image': {
    run: ({ engine }, { image, policy, use }, signal) => engine.ensureImage(image, policy, signal, use),
    limitMs: () => LIMITS.engineCallMs.value + LIMITS.enginePullMs.value,
  },
  create: { run: ({ engine }, { plan }) => engine.create(plan), limitMs: () => 2 * LIMITS.engineCallMs.value },
  // its image may be read back first
  start: { run: startContainer, limitMs: () => 2 * LIMITS.engineCallMs.value + LIMITS.imageReadBackMs.value },
  'set-cpus': { run: ({ engine }, { target, cpus }) => engine.setCpus(target, cpus), limitMs: () => LIMITS.engineCallMs.value },
  stop: {
    run: stopContainer,
    limitMs: ({ graceSeconds }) => LIMITS.engineCallMs.value + LIMITS.stopGraceMinMs.value + graceSeconds * 1000,
  },
  remove: { run: ({ engine }, { target }) => engine.remove(target), limitMs: () => LIMITS.engineCallMs.value },
  'prepare-volumes': {
    run: ({ volumes }, step) => (volumes === undefined ? noVolumes() : volumes.prepare(step.volumes)),
    limitMs: () => LIMITS.saveMs.value,
  },
  'drop-volumes': {
    run: async ({ volumes, engine }, { podUid }) => {
      const engineVolumes = await engine.dropVolumes(podUid)
      if (!engineVolumes.ok) return engineVolumes
      return volumes === undefined ? noVolumes() : volumes.drop(podUid)
    },
    limitMs: () => LIMITS.saveMs.value,
  },
}

/** Never rejects: an adapter that throws is an engine error. */
export async function runStep<K extends Step['kind']>(
  parts: StopParts,
  step: StepOf<K> & { readonly kind: K },
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return await STEPS[step.kind].run(parts, step, signal)
  } catch (error) {
    return { ok: false, cause: cause('engine.error', { why: clip(error instanceof Error ? error.message : String(error)) }) }
  }
}

export function stepLimitMs<K extends Step['kind']>(step: StepOf<K> & { readonly kind: K }): number {
  return STEPS[step.kind].limitMs(step)
}

/** Never for a moment on CPUs that became somebody's own while its image was fetched. */
async function startContainer({ engine, sharedCpus }: StopParts, { target, shares }: StepOf<'start'>): Promise<Outcome> {
  const cpus = shares === true ? sharedCpus() : null
  const set: Outcome = cpus === null ? { ok: true } : await engine.setCpus(target, cpus)
  return set.ok ? engine.start(target) : set
}

function noVolumes(): Promise<Outcome> {
  return Promise.resolve({ ok: false, cause: cause('volume.failed', { volume: 'all', why: 'this agent has no folder for volumes' }) })
}

/** For logs and the watchdog. */
export function stepName(step: Step): string {
  return stepText(step)
}
