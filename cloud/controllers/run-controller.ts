/** What every controller is: a name, a queue of keys, and a way to end. */
import type { Clock, Log, Meter, Random } from '../ports.ts'
import type { Cluster } from './cluster.ts'
import type { EventRecorder } from './event-recorder.ts'
import { createWorkQueue } from './work-queue.ts'
import type { WorkQueue } from './work-queue.ts'

export interface ControllerDeps {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly events: EventRecorder
  /** resolves when every kind was listed: half of the world must never be taken for all of it */
  readonly loaded: Promise<void>
  readonly meter?: Meter | undefined
}

export interface Controller {
  readonly name: string
  readonly queue: WorkQueue
  stop(): Promise<void>
}

/** Runs `work` for each key that is added; the caller wires informers to `queue.add`. */
export function runController(
  deps: Pick<ControllerDeps, 'clock' | 'random' | 'log' | 'loaded' | 'meter'>,
  name: string,
  work: (key: string) => Promise<number | null>,
  workers = 4,
  rests = false,
): Controller {
  const gated = async (key: string): Promise<number | null> => {
    await deps.loaded
    return work(key)
  }
  // a rate needs a first value
  deps.meter?.count('skerry_work_failures_total', { queue: name }, 0)
  const queue = createWorkQueue({ name, clock: deps.clock, random: deps.random, log: deps.log, workers, rests, work: gated, meter: deps.meter })
  return { name, queue, stop: () => queue.stop() }
}
