/**
 * Effect -> port -> event. INVARIANTS: every save, observation, probe and wave that is started answers with exactly one event, also
 * when an adapter throws; publishing and logging have no answer; nothing here decides anything.
 */
import { cause, isCauseCode } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { clip, LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { AgentEvent, Effect } from '../core/state.ts'
import type { Clock, CloudLink, Engine, Log, StateStore, Volumes } from '../ports.ts'
import type { Prober } from './probe-runner.ts'
import { runWave } from './run-wave.ts'
import type { RunningWave } from './run-wave.ts'
import { createWakeUp } from './timers.ts'
import type { Watchdog } from './watchdog.ts'

export interface EffectPorts {
  readonly engine: Engine
  readonly store: StateStore
  readonly link: Pick<CloudLink, 'publishStatus' | 'publishInventory'>
  readonly clock: Clock
  readonly log: Log
  readonly watchdog: Watchdog
  readonly prober: Prober
  /** absent: pods with volumes are refused */
  readonly volumes?: Volumes | undefined
}

export interface EffectRunner {
  run(effect: Effect): void
  /** aborts the wave and resolves when its steps at hand have ended, or after the table's time */
  stop(): Promise<void>
}

type EffectOf<K extends Effect['kind']> = Extract<Effect, { readonly kind: K }>
type Table = { readonly [K in Effect['kind']]: (effect: EffectOf<K>) => void }

/** @param sharedCpus of the state of that moment, see core/cpu-pool */
export function createEffectRunner(ports: EffectPorts, dispatch: (event: AgentEvent) => void, sharedCpus: () => string | null): EffectRunner {
  const { engine, store, link, clock, log, watchdog, prober, volumes } = ports
  const waves = new Map<number, RunningWave>()
  const wakeUp = createWakeUp(clock, () => dispatch({ kind: 'tick' }))
  const observe = createObserve(ports, dispatch)

  const table: Table = {
    save: ({ state, version }) => {
      const saved = version ?? state.floor ?? { epoch: 0, generation: 0 }
      answerOnce(clock, store.save(state, version)).then(
        () => dispatch({ kind: 'saved', epoch: saved.epoch, generation: saved.generation }),
        (error: unknown) => dispatch({ kind: 'save-failed', cause: cause('storage.degraded', { why: messageOf(error) }) }),
      )
    },
    observe: () => void observe(),
    'run-wave': ({ wave, lanes }) => {
      const running = runWave({ engine, prober, clock, volumes, sharedCpus }, watchdog, lanes, (step, outcome) =>
        dispatch({ kind: 'step-done', wave, step, outcome }),
      )
      waves.set(wave, running)
      void running.done.then(() => {
        waves.delete(wave)
        dispatch({ kind: 'wave-done', wave })
      })
    },
    probe: ({ ask: { key, run, probe, action, timeoutMs } }) => {
      const ended = watchdog.watch(`${probe} probe of ${key}`, timeoutMs + LIMITS.engineCallMs.value)
      void prober.run(action, timeoutMs).then((answer) => {
        ended()
        dispatch({ kind: 'probe-result', key, run, probe, answer })
      })
    },
    'abort-wave': ({ wave }) => waves.get(wave)?.abort(),
    'publish-status': ({ report }) => link.publishStatus(report),
    'publish-inventory': ({ inventory }) => link.publishInventory(inventory),
    'want-images': ({ wanted }) => engine.wantImages?.(wanted),
    'wake-at': ({ monoMs }) => wakeUp.at(monoMs),
    log: ({ level, msg, fields }) => log[level](msg, fields),
  }

  return {
    run: (effect) => runRow(table, effect),
    stop: async () => {
      wakeUp.stop()
      for (const wave of waves.values()) wave.abort()
      const late = new Promise<void>((resolve) => {
        const cancel = clock.at(clock.now().monoMs + LIMITS.stopMs.value, resolve)
        void Promise.all([...waves.values()].map((wave) => wave.done)).then(() => {
          cancel()
          resolve()
        })
      })
      await late
    },
  }
}

function runRow<K extends Effect['kind']>(table: Table, effect: EffectOf<K> & { readonly kind: K }): void {
  table[effect.kind](effect)
}

/** Looks at the engine; asks who it is whenever it answers after it did not. */
function createObserve({ engine, watchdog, volumes }: EffectPorts, dispatch: (event: AgentEvent) => void): () => Promise<void> {
  let known = false
  const introduce = async (): Promise<void> => {
    known = true
    try {
      dispatch({ kind: 'engine-info', info: await engine.info() })
    } catch {
      known = false
    }
  }
  return async () => {
    const ended = watchdog.watch('observe', 2 * LIMITS.engineCallMs.value)
    try {
      // folders first: a container that comes between is still seen
      const volumePods = (await volumes?.pods()) ?? null
      const containers = await engine.observe()
      ended()
      dispatch({ kind: 'observed', containers, ...(volumePods === null ? {} : { volumePods }) })
      if (!known) await introduce()
    } catch (error) {
      ended()
      known = false
      dispatch({ kind: 'observe-failed', cause: causeOf(error) })
    }
  }
}

/** The store's promise, or a failure when the disk takes too long: a dying card blocks without an error. */
function answerOnce(clock: Clock, save: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.at(clock.now().monoMs + LIMITS.saveMs.value, () =>
      reject(new Error(`the disk did not answer within ${LIMITS.saveMs.value / 1000} s`)),
    )
    save.then(resolve, reject).finally(cancel)
  })
}

/** Engine adapters reject with an error that carries its cause as `reason`. */
function causeOf(error: unknown): Cause {
  const reason = isRecord(error) ? error['reason'] : undefined
  if (isRecord(reason) && typeof reason['code'] === 'string' && isCauseCode(reason['code']) && isRecord(reason['facts']))
    return reason as unknown as Cause
  return cause('engine.error', { why: messageOf(error) })
}

function messageOf(error: unknown): string {
  return clip(error instanceof Error ? error.message : String(error))
}
