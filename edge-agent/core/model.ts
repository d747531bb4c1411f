/**
 * The agent's vocabulary: containers, verdicts, steps and plans. Plain data that can be printed, compared, sent up and replayed. What is
 * kept over restarts is in saved-model.ts; state, events and effects are in state.ts.
 */
import type { PlannedMount, PlannedVariable, PodVolumes } from './pod-model.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { ImageUse } from './image-model.ts'
import type { DesiredPod, DesiredState, Placement, PullCredential, Version } from '../../protocol/desired-state.ts'
import type { ContainerSpec, PodSpec } from '../../protocol/pod.ts'
import type { PodSecurityContext } from '../../protocol/pod-security.ts'
import type { LifecycleHandler } from '../../protocol/probe.ts'
import type { ProbeAction } from './probe-model.ts'
import type { PlannedNetwork } from './service-model.ts'

/** Time as an argument. `monoMs` never jumps and decides everything; `wallMs` is only shown to people. */
export interface Now {
  readonly monoMs: number
  readonly wallMs: number
}

/** What the engine says about one container that carries our device label. */
export interface ObservedContainer {
  readonly id: string
  readonly name: string
  readonly podUid: string
  readonly specHash: string
  readonly namespace: string
  readonly podName: string
  readonly containerName: string
  readonly image: string
  readonly imageId: string | null
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead' | 'removing'
  readonly exitCode: number | null
  readonly oomKilled: boolean
  /** RFC 3339 as the engine wrote it; null when never started */
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** the engine's own error text of the last start, or '' */
  readonly error: string
  readonly ip: string | null
  /** the grace period it was made with, when the engine tells: a pod that is no longer desired took its spec with it */
  readonly graceSeconds?: number
  /** hook to run before it is stopped; it was written on the container for the same reason */
  readonly preStop?: LifecycleHandler
  /** id of the sandbox that it was made beside */
  readonly sandbox?: string
  /** of its first process, while it runs */
  readonly pid?: number
  /** CPUs that the engine lets it run on, in Linux list format; '' = all. Absent = the engine does not tell */
  readonly cpus?: string
  /** CPUs that were its pod's own when it was made */
  readonly ownCpus?: string
}

/** Containers are named `skerry-<namespace>-<pod>-<container>-<uid8>-<hash8>` so that no two agents can make the same twice. */
export interface ContainerIdentity {
  readonly podUid: string
  readonly specHash: string
  readonly namespace: string
  readonly podName: string
  readonly containerName: string
  readonly name: string
}

/** Everything needed to make one container; engine-neutral. */
export interface ContainerPlan {
  readonly identity: ContainerIdentity
  readonly device: string
  readonly container: ContainerSpec
  readonly pod: {
    readonly hostNetwork: boolean
    /** the network of its namespace; absent = the engine's own */
    readonly bridge?: PlannedNetwork
    readonly hostname: string | null
    readonly pidsLimit: number
    readonly graceSeconds: number
    readonly labels: Readonly<Record<string, string>>
    readonly security?: PodSecurityContext
    readonly hostAliases?: PodSpec['hostAliases']
    /** only: nothing of the host's settings is added */
    readonly dns?: NonNullable<PodSpec['dnsConfig']> & { readonly only: boolean }
  }
  /** resolved; never in a log. Absent = none */
  readonly env?: readonly PlannedVariable[]
  readonly mounts?: readonly PlannedMount[]
  /** holder = it is its pod's sandbox; join = beside the sandbox of that id; absent = a network of its own */
  readonly network?: 'holder' | { readonly join: string }
  readonly placement: Placement | null
  /** the release that its image is pinned for, see image-use */
  readonly release?: string
}

export type VerdictKind = 'keep' | 'adopt' | 'create' | 'replace' | 'start' | 'stop' | 'remove' | 'blocked'

export interface Verdict {
  readonly kind: VerdictKind
  readonly identity: ContainerIdentity
  /** one short sentence: why this and not another */
  readonly reason: string
  /** for blocked */
  readonly cause?: Cause
  /** for stop: another grace period than the pod's */
  readonly graceSeconds?: number
  /** for blocked by time: the monotonic moment when it may be tried again */
  readonly notBeforeMonoMs?: number
}

/** One engine action. Containers that exist are named by id, new ones by their unique name. */
export type Step =
  | {
      readonly kind: 'ensure-image'
      readonly key: string
      readonly image: string
      readonly policy: 'Always' | 'IfNotPresent' | 'Never'
      readonly use?: ImageUse
      /** spec hash of the revision that it is fetched ahead for */
      readonly revision?: string
    }
  | { readonly kind: 'create'; readonly key: string; readonly plan: ContainerPlan }
  /** shares: it is given the shared CPUs of that moment first, see cpu-pool */
  | { readonly kind: 'start'; readonly key: string; readonly target: string; readonly shares?: true }
  /** other CPUs for a container that runs on */
  | { readonly kind: 'set-cpus'; readonly key: string; readonly target: string; readonly cpus: string }
  | { readonly kind: 'stop'; readonly key: string; readonly target: string; readonly graceSeconds: number; readonly preStop?: ProbeAction }
  | { readonly kind: 'remove'; readonly key: string; readonly target: string }
  /** makes files and folders of a pod ready, or new; equal files are left alone */
  | { readonly kind: 'prepare-volumes'; readonly key: string; readonly volumes: PodVolumes }
  | { readonly kind: 'drop-volumes'; readonly key: string; readonly podUid: string }

/** Steps of one container in order; the first failure ends the lane. `key` is the ledger key. */
export interface Lane {
  readonly key: string
  readonly steps: readonly Step[]
}

/** Lanes of a wave run together (bounded); waves run one after another with an observation between them. */
export interface Plan {
  readonly verdicts: readonly Verdict[]
  readonly waves: readonly (readonly Lane[])[]
  /** what an unfinished plan waits for, when no lane can run now */
  readonly waitsFor: readonly Cause[]
  /** the earliest monotonic moment at which planning again may give another answer; null = only news can */
  readonly nextAtMonoMs: number | null
}

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly cause: Cause }

export interface EngineInfo {
  readonly version: string
  readonly apiVersion: string
  readonly cgroup: string
  readonly storageDriver: string
  readonly runtimes: readonly string[]
  /** folder with the images and containers, when the engine tells */
  readonly dataRoot?: string
}

export type { ContainerSpec, DesiredPod, DesiredState, Placement, PullCredential, Version }

export type { ImagesWanted, ImageUse, PullProgress, Pulls, PullTotals } from './image-model.ts'
