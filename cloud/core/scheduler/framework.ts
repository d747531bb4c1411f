/**
 * The scheduling framework: what a plugin is, and what it may look at. Phases carry Kubernetes' names. A plugin sees one
 * pod and one node; both are values that are never changed, so a node's identity is its version and results may later be
 * cached by (pod signature, node). Plugins that look across pods get a PreFilter over the whole snapshot instead.
 */
import type { Cause } from '../../../protocol/causes.ts'
import type { Placement } from '../../../protocol/desired-state.ts'
import type { Toleration } from '../../../protocol/pod.ts'
import type { Taint } from '../../resources/node.ts'
import type { Pod } from '../../resources/pod.ts'

/** Amounts by resource name: cpu in milli, everything else in whole units. */
export type Amounts = Readonly<Record<string, number>>

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

/** A pod as plugins see it: parsed once. */
export interface PodInfo {
  readonly pod: Pod
  readonly uid: string
  readonly key: string
  readonly requests: Amounts
  /** requests with Kubernetes' non-zero defaults (100m, 200Mi): only scores read them */
  readonly scoringRequests: Amounts
  readonly hostPorts: readonly HostPort[]
  readonly tolerations: readonly Toleration[]
  readonly selector: Readonly<Record<string, string>>
  /** the only node it may run on, or null for a floating pod */
  readonly requiredNode: string | null
  readonly priority: number
}

export interface NodeInfo {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly unschedulable: boolean
  readonly ready: boolean
  /** why it is not ready, for people; '' when it is */
  readonly notReadyWhy: string
  readonly allocatable: Amounts
  readonly requested: Amounts
  readonly scoringRequested: Amounts
  readonly pods: ReadonlyMap<string, PodInfo>
}

export type Snapshot = ReadonlyMap<string, NodeInfo>

export interface FilterPlugin {
  readonly name: string
  /** narrows the candidates before any node is looked at; null = all */
  preFilter?(pod: PodInfo, snapshot: Snapshot): readonly string[] | null
  /** every reason why this node cannot take the pod; empty = it can */
  filter(pod: PodInfo, node: NodeInfo): readonly Cause[]
}

export const MAX_SCORE = 100

export interface ScorePlugin {
  readonly name: string
  /** higher is better; 0 to MAX_SCORE unless `normalizeScore` brings it there */
  score(pod: PodInfo, node: NodeInfo): number
  normalizeScore?(scores: readonly number[]): readonly number[]
}

export interface ReservePlugin {
  readonly name: string
  /** what this plugin decides beside the node; parts of all plugins are merged */
  reserve(pod: PodInfo, node: NodeInfo): Placement
}

/** One scheduler: ordered tables. Adding a rule is adding a row. */
export interface Profile {
  readonly name: string
  readonly filters: readonly FilterPlugin[]
  readonly scores: readonly { readonly plugin: ScorePlugin; readonly weight: number }[]
  readonly reserves: readonly ReservePlugin[]
}
