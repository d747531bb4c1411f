/** The words of local eviction: what the host has left, what is short, who was given up. Plain data. */
import type { Cause } from '../../protocol/causes.ts'

export const SIGNALS = ['memory', 'pids', 'disk'] as const
export type Signal = (typeof SIGNALS)[number]

export interface Level {
  readonly available: number
  readonly total: number
}

/** What one container holds; a part that could not be read is absent. */
export interface ContainerUsage {
  readonly memory?: number
  readonly pids?: number
  readonly disk?: number
}

/** The host at one moment; a signal that could not be read is absent. `usage` by container id, only when something is short. */
export interface PressureSample {
  readonly levels: Readonly<Partial<Record<Signal, Level>>>
  readonly usage: Readonly<Record<string, ContainerUsage>>
  /** bytes in emptyDir volumes on disk, by pod uid; only when the disk is short */
  readonly podDisk?: Readonly<Record<string, number>>
}

export interface Short {
  /** true = by the newest sample; false = it recovered, and the condition is being held */
  readonly now: boolean
  readonly lastShortMonoMs: number
  readonly cause: Cause
  /** a pod had to go for it: it holds longer, also when the cloud no longer asks for that pod */
  readonly gave?: true
}

export interface Pressure {
  readonly short: Readonly<Partial<Record<Signal, Short>>>
  /** pods given up, by uid, with why; forgotten when they are no longer desired */
  readonly evicted: Readonly<Record<string, Cause>>
  /** least bytes free on the disk while a pull waits for room; absent = none does */
  readonly leastRoom?: number
}

export const NO_PRESSURE: Pressure = { short: {}, evicted: {} }
