/** The words of probing: what is asked of a running container, what came back, and what is remembered of it. Plain data. */
import type { Cause } from '../../protocol/causes.ts'
import type { ContainerSpec } from '../../protocol/pod.ts'

/** `post-start` is the hook: asked once a run, before any probe. */
export type ProbeKind = 'post-start' | 'startup' | 'liveness' | 'readiness'

/** What to do, with address and port resolved. Hooks and probes share it. */
export type ProbeAction =
  | {
      readonly kind: 'http'
      readonly host: string
      readonly port: number
      readonly path: string
      readonly https: boolean
      readonly headers: readonly { readonly name: string; readonly value: string }[]
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'grpc'; readonly host: string; readonly port: number; readonly service: string }
  | { readonly kind: 'exec'; readonly target: string; readonly argv: readonly string[] }
  | { readonly kind: 'sleep'; readonly ms: number }

/** unknown = it could not be asked (an engine that does not answer): counts neither way. */
export interface ProbeAnswer {
  readonly verdict: 'success' | 'failure' | 'unknown'
  /** why it failed, for people; cut to the table's length */
  readonly message: string
}

/** One question to the shell. `key` and `run` come back with the answer, so that late news of an earlier run are ignored. */
export interface ProbeAsk {
  readonly key: string
  readonly run: string
  readonly probe: ProbeKind
  readonly action: ProbeAction
  readonly timeoutMs: number
}

export interface ProbeState {
  readonly inFlight: boolean
  /** monotonic; null = not asked any more in this run, or not yet (gated) */
  readonly nextAtMonoMs: number | null
  readonly last: 'success' | 'failure' | null
  /** how often `last` came in a row */
  readonly inARow: number
}

/** One run of one container: what is known of its health. Forgotten when the run ends. */
export interface ContainerProbes {
  /** container id and the engine's start time */
  readonly run: string
  readonly target: string
  /** where its ports are reached; null = it has no address */
  readonly host: string | null
  readonly container: ContainerSpec
  readonly sinceMonoMs: number
  readonly states: Readonly<Partial<Record<ProbeKind, ProbeState>>>
  readonly started: boolean
  readonly ready: boolean
  /** the probe or hook that asks for a restart; null while none does */
  readonly unhealthy: Cause | null
  /** the newest failure of each probe that failed last, for people */
  readonly failing: Readonly<Partial<Record<ProbeKind, Cause>>>
}

/** By ledger key. Only containers that have a probe or a postStart hook. */
export type Probes = Readonly<Record<string, ContainerProbes>>
