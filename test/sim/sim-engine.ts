/** The engine as one agent process sees it: calls go on when the process dies, answers do not arrive. */
import type { Engine } from '../../edge-agent/ports.ts'
import type { FakeEngine } from '../fakes/engine.ts'
import type { ProcessClock } from './virtual-time.ts'

export interface EngineAction {
  readonly call: 'create' | 'set-cpus' | 'start' | 'stop' | 'remove'
  /** container name or id */
  readonly target: string
}

export type EngineWatch = (action: EngineAction) => void

export function engineOfProcess(engine: FakeEngine, clock: ProcessClock, watch: EngineWatch): Engine {
  const never = <T>(): Promise<T> => new Promise(() => undefined)
  const alive = async <T>(run: () => Promise<T>): Promise<T> => {
    if (clock.dead) return never<T>()
    try {
      const answer = await run()
      return clock.dead ? await never<T>() : answer
    } catch (error) {
      if (clock.dead) return never<T>()
      throw error
    }
  }
  const acted = <T>(action: EngineAction, run: () => Promise<T>): Promise<T> =>
    alive(() => {
      watch(action)
      return run()
    })
  return {
    info: () => alive(() => engine.info()),
    observe: () => alive(() => engine.observe()),
    ensureImage: (image, policy, signal) => alive(() => engine.ensureImage(image, policy, signal)),
    create: (plan) => acted({ call: 'create', target: plan.identity.name }, () => engine.create(plan)),
    setCpus: (target, cpus) => acted({ call: 'set-cpus', target }, () => engine.setCpus(target, cpus)),
    start: (target) => acted({ call: 'start', target }, () => engine.start(target)),
    stop: (target, grace) => acted({ call: 'stop', target }, () => engine.stop(target, grace)),
    dropVolumes: (podUid) => engine.dropVolumes(podUid),
    remove: (target) => acted({ call: 'remove', target }, () => engine.remove(target)),
    exec: (target, argv) => alive(() => engine.exec(target, argv)),
    logs: (target, lines) => alive(() => engine.logs(target, lines)),
    watch: (onChange) => engine.watch(onChange),
  }
}
