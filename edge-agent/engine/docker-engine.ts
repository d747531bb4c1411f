/**
 * `Engine` over the Docker API on a unix socket (dockerd from API 1.41, podman's compatible socket). The only importer of
 * dockerode. INVARIANTS: every call ends by its own deadline, because a stopped dockerd accepts connections and never
 * answers; failures of steps are values; no path is versioned, because engines raise their lowest version over the years.
 */
import Docker from 'dockerode'
import { LIMITS } from '../../protocol/limits.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { ContainerPlan, Outcome } from '../core/model.ts'
import type { Clock, Engine, LiveEngine, NetworkEngine } from '../ports.ts'
import { isBeingRemoved, isNameConflict } from './docker-failures.ts'
import { cpusCause, createCause, readCause, readFailure, removeCause, startCause, stopCause } from './docker-failures.ts'
import type { CallContext, EngineFailure } from './docker-failures.ts'
import { createCaller } from './engine-call.ts'
import type { Caller } from './engine-call.ts'
import { execRunner } from './exec-run.ts'
import { followEvents, WATCHED_ACTIONS } from './engine-events.ts'
import { readEngineInfo, readLayerSizes } from './from-docker.ts'
import { createImageEngine, unlessAbsent } from './image-engine.ts'
import { passingImages } from './image-host.ts'
import { ImageKeeper } from './image-keeper.ts'
import type { ImageKeeperOptions } from './image-keeper.ts'
import { startOrSuspect } from './image-damage.ts'
import { liveStreams } from './live-streams.ts'
import { readLogFrames } from './log-frames.ts'
import { createNetworkEngine, joined } from './network-engine.ts'
import type { Networks } from './network-engine.ts'
import { createPodEngine } from './pod-engine.ts'
import type { PodEngine } from './pod-engine.ts'
import { createObserver } from './observer.ts'
import type { Observer } from './observer.ts'
import { LABELS, toDocker, withPinned } from './to-docker.ts'

export interface DockerEngineOptions {
  readonly socketPath: string
  /** only containers with this device label are ever seen or touched */
  readonly device: string
  readonly clock: Clock
  /** limits for tests; the table's values when absent */
  readonly callMs?: number
  readonly stallMs?: number
  /** absent: what is known about images ends with the process */
  readonly images?: ImageKeeperOptions
}

interface StepWords {
  fine(failure: EngineFailure): boolean
  cause(failure: EngineFailure, context: CallContext): Cause
}

const STEP_WORDS = {
  setCpus: { fine: ({ status }) => status === 404, cause: cpusCause },
  start: { fine: ({ status }) => status === 304, cause: startCause },
  stop: { fine: ({ status }) => status === 304 || status === 404, cause: stopCause },
  remove: { fine: (failure) => failure.status === 404 || isBeingRemoved(failure), cause: removeCause },
} as const satisfies Record<string, StepWords>

/** What `info` and `observe` reject with: the cause is for the reducer. */
export class EngineError extends Error {
  readonly reason: Cause
  constructor(reason: Cause) {
    super(reason.code)
    this.reason = reason
  }
}

/** lines: what a loader says before it gives up */
const LAST_WORDS = 5

interface Parts {
  readonly docker: Docker
  readonly caller: Caller
  readonly callMs: number
  readonly observer: Observer
  readonly pods: PodEngine
  readonly images: ImageKeeper
  readonly networks: Networks
}

export function createDockerEngine(options: DockerEngineOptions): Engine & LiveEngine & NetworkEngine {
  // host is emptied because docker-modem would prefer DOCKER_HOST from the environment over the socket it is given
  const docker = new Docker({ socketPath: options.socketPath, host: '', protocol: 'http' })
  const callMs = options.callMs ?? LIMITS.engineCallMs.value
  const caller = createCaller(options.clock, callMs)
  const label = [`${LABELS.device}=${options.device}`]
  let eventsConnected = false

  const observer = createObserver(
    {
      list: () => caller.call((abortSignal) => docker.listContainers({ all: true, filters: { label }, abortSignal })),
      inspect: (id) => unlessAbsent(caller.call((abortSignal) => docker.getContainer(id).inspect({ abortSignal }))),
    },
    () => eventsConnected,
  )
  const stallMs = options.stallMs ?? LIMITS.enginePullStallMs.value
  const images = new ImageKeeper(createImageEngine(docker, caller), options.clock, stallMs, options.images ?? passingImages())
  const pods = createPodEngine(docker, caller, callMs, options.device)
  const networks = createNetworkEngine(docker, caller, options.device, options.clock)
  const parts: Parts = { docker, caller, callMs, observer, images, pods, networks }

  return {
    ...reads(parts),
    ...steps(parts),
    dropVolumes: (podUid) => pods.dropVolumes(podUid),
    ensureNetworks: (wanted) => networks.ensureNetworks(wanted),
    dropNetworks: (wanted) => networks.dropNetworks(wanted),
    exec: execRunner({ makeExec: (target, asked) => docker.getContainer(target).exec(asked), caller, callMs, clock: options.clock }),
    ...liveStreams({ docker, caller, callMs, clock: options.clock }),
    ensureImage: (image, policy, signal, use) => images.ensure(image, policy, signal, use),
    wantImages: (wanted) => images.want(wanted),
    reclaimImages: () => images.sweep(true),
    pullTotals: () => images.pullTotals(),
    layerSizes: async () =>
      readLayerSizes(
        await caller.call(
          (abortSignal) => docker.listContainers({ all: true, size: true, filters: { label }, abortSignal } as object),
          LIMITS.layerSizesMs.value,
        ),
      ),
    watch: (onChange) =>
      followEvents((abortSignal) => docker.getEvents({ filters: { type: ['container'], label, event: [...WATCHED_ACTIONS] }, abortSignal }), {
        onConnected: (connected) => {
          eventsConnected = connected
        },
        onChanged: (id) => observer.changed(id),
        onWake: onChange,
      }),
  }
}

/** Calls whose failure is about the engine, not about a request: they reject with an EngineError. */
function reads({ docker, caller: { call, context }, callMs, observer }: Parts): Pick<Engine, 'info' | 'observe' | 'logs'> {
  const read = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      throw new EngineError(readCause(readFailure(error), name, context(callMs)))
    }
  }
  return {
    info: () =>
      read('info', async () => {
        const [info, version] = await Promise.all([call(() => docker.info()), call(() => docker.version())])
        return readEngineInfo(info, version)
      }),
    observe: () => read('list', () => observer.observe()),
    logs: (target, lines) =>
      read('logs', async () => {
        const tail = Math.max(1, Math.min(Math.trunc(lines), LIMITS.logTailLines.value))
        return tailOf({ docker, call }, target, tail)
      }),
  }
}

async function tailOf({ docker, call }: { readonly docker: Docker; readonly call: Caller['call'] }, target: string, tail: number): Promise<string> {
  const bytes = await call((abortSignal) => docker.getContainer(target).logs({ stdout: true, stderr: true, follow: false, tail, abortSignal }))
  return readLogFrames(Buffer.from(bytes))
}

/** Calls that change one container: they answer with an outcome. */
function steps({
  docker,
  caller: { call, context },
  callMs,
  observer,
  images,
  pods,
  networks,
}: Parts): Pick<Engine, 'create' | 'setCpus' | 'start' | 'stop' | 'remove'> {
  /** `fine` tells failures that mean: it is so already. */
  const step = async (target: string, run: (signal: AbortSignal) => Promise<unknown>, words: StepWords, limitMs = callMs): Promise<Outcome> => {
    try {
      await call(run, limitMs)
      return { ok: true }
    } catch (error) {
      const failure = readFailure(error)
      return words.fine(failure) ? { ok: true } : { ok: false, cause: words.cause(failure, context(limitMs)) }
    } finally {
      // the answer may arrive before the event
      observer.changed(target)
    }
  }
  /** names of what was made here and has not been started: nothing can be known of how it ended */
  const unborn = new Set<string>()
  /** Is the container that holds this name the one that was asked for? A stranger would be waited for without end. */
  const isSame = async (plan: ContainerPlan): Promise<boolean> => {
    try {
      const { Config } = await call((abortSignal) => docker.getContainer(plan.identity.name).inspect({ abortSignal }))
      return Object.entries(toDocker(plan).Labels).every(([key, value]) => Config.Labels[key] === value)
    } catch {
      return false
    }
  }
  return {
    create: async (plan) => {
      try {
        const refused = (await pods.beforeCreate(plan)) ?? (await joined(networks, plan))
        if (refused !== null) return refused
        const made = withPinned(toDocker(plan), await images.pinned(plan.container.image, plan.release), plan.container.image)
        await call((abortSignal) => docker.createContainer({ ...made, abortSignal }))
        if (unborn.size >= LIMITS.ledgerEntries.value) unborn.clear()
        unborn.add(plan.identity.name)
        return { ok: true }
      } catch (error) {
        const failure = readFailure(error)
        return isNameConflict(failure) && (await isSame(plan)) ? { ok: true } : { ok: false, cause: createCause(failure, context(callMs)) }
      }
    },
    setCpus: (target, cpus) =>
      step(target, (abortSignal) => docker.getContainer(target).update({ CpusetCpus: cpus, abortSignal }), STEP_WORDS.setCpus),
    start: (target) =>
      startOrSuspect(images, {
        start: () => step(target, (abortSignal) => docker.getContainer(target).start({ abortSignal }), STEP_WORDS.start),
        inspect: () => call((abortSignal) => docker.getContainer(target).inspect({ abortSignal })),
        ranBefore: !unborn.delete(target),
        lastWords: () => tailOf({ docker, call }, target, LAST_WORDS),
      }),
    stop: (target, graceSeconds) =>
      step(
        target,
        (abortSignal) => docker.getContainer(target).stop({ t: graceSeconds, abortSignal }),
        STEP_WORDS.stop,
        callMs + graceSeconds * 1000,
      ),
    remove: (target) => step(target, (abortSignal) => docker.getContainer(target).remove({ v: true, abortSignal }), STEP_WORDS.remove),
  }
}
