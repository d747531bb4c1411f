/**
 * The scheduling framework: what a plugin is, and what it may look at. Phases carry Kubernetes' names. Pods and nodes are
 * values that are never changed, so the identity of a NodeInfo is its version. A plain filter or score reads one pod and one
 * node: its result is kept for as long as both are the same. A plugin that looks across pods gets the whole world in
 * `preFilter` or `preScore` and answers with a test or a scorer for this pod; the world's tallies keep that cheap.
 */
import type { Cause } from '../../../protocol/causes.ts'
import type { Placement } from '../../../protocol/desired-state.ts'
import type { Toleration } from '../../../protocol/pod.ts'
import type { Taint } from '../../resources/node.ts'
import type { Pod } from '../../resources/pod.ts'
import type { NodeAffinity } from './node-affinity.ts'
import type { Labels } from '../../resources/label-selector.ts'
import type { Avoided } from './refusals.ts'
import type { PodTerms, SpreadConstraint, Term } from './pod-terms.ts'

/** Amounts by resource name: cpu in milli, everything else in whole units. */
export type Amounts = Readonly<Record<string, number>>

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

/** A claim (`namespace/name`) whose volume is on that device. */
export interface VolumeNode {
  readonly claim: string
  readonly node: string
}

/** A pod as plugins see it: parsed once. */
export interface PodInfo {
  readonly pod: Pod
  readonly uid: string
  readonly key: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** everything that plugins may read of it as text: pods with equal text are placed alike */
  readonly signature: string
  readonly requests: Amounts
  /** requests with Kubernetes' non-zero defaults (100m, 200Mi): only scores read them */
  readonly scoringRequests: Amounts
  readonly hostPorts: readonly HostPort[]
  readonly images: readonly string[]
  readonly tolerations: readonly Toleration[]
  readonly selector: Readonly<Record<string, string>>
  readonly nodeAffinity: NodeAffinity
  readonly terms: PodTerms
  readonly spread: readonly SpreadConstraint[]
  /** volumes that it uses and that are on a device already; absent = none */
  readonly volumeNodes?: readonly VolumeNode[]
  /** the only node it may run on, or null for a floating pod */
  readonly requiredNode: string | null
  readonly priority: number
  /** it is being deleted: it still holds its share, but counts for no spread */
  readonly leaving: boolean
}

export interface NodeInfo {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly unschedulable: boolean
  readonly ready: boolean
  /** why it is not ready, for people; '' when it is */
  readonly notReadyWhy: string
  /** when the device was last heard, RFC 3339; '' when never */
  readonly heardAt: string
  readonly annotations: Readonly<Record<string, string>>
  /** bytes of each image that it holds, by name with tag */
  readonly images: ReadonlyMap<string, number>
  readonly allocatable: Amounts
  readonly requested: Amounts
  readonly scoringRequested: Amounts
  /** cpu in milli that its pods ask for and do not use, for classes that opted in; absent while nothing was measured */
  readonly reclaimableCpu?: number
  readonly pods: ReadonlyMap<string, PodInfo>
  /** those of its pods that carry pod affinity or anti-affinity */
  readonly podsWithTerms: readonly PodInfo[]
}

export type Snapshot = ReadonlyMap<string, NodeInfo>

export interface FilterPlugin {
  readonly name: string
  /** narrows the candidates before any node is looked at; null = all */
  preFilter?(pod: PodInfo, nodes: Snapshot): readonly string[] | null
  /** false = it has nothing to say about this pod on any node */
  applies?(pod: PodInfo): boolean
  /** every reason why this node cannot take the pod; empty = it can */
  filter(pod: PodInfo, node: NodeInfo): readonly Cause[]
  /** the same verdict without words; must agree with `filter` */
  passes?(pod: PodInfo, node: NodeInfo): boolean
  /** it reads what pods were measured to use: devices are to measure it */
  readonly readsUsage?: boolean
}

/** What one node adds to a tally: to which domain, and how much; null = it is not counted and makes no domain. */
export type Counted = { readonly domain: string; readonly amount: number } | null

/** Sums by topology domain. */
export interface Sums {
  /** of one domain; 0 when there is no such domain */
  amount(domain: string | undefined): number
  readonly total: number
  readonly domains: number
  /** smallest sum of any domain; 0 without domains */
  least(): number
  /** the greatest of domains that are numbers written as text; 0 without domains */
  largestDomain(): number
}

export type TermKind = 'required' | 'requiredAnti' | 'preferred' | 'preferredAnti'

/** An affinity term that placed pods carry, and how many of them in each of its domains. */
export interface Carried {
  readonly term: Term
  readonly kind: TermKind
  /** 0 for required terms */
  readonly weight: number
  readonly domains: ReadonlyMap<string, number>
}

/** All nodes, as plugins that look across pods see them. */
export interface WorldView {
  /** sorted by name */
  readonly nodes: readonly NodeInfo[]
  readonly namespaceLabels: (namespace: string) => Labels
  /** Current sums. `key` names everything that `of` depends on beside the node. */
  tally(key: string, of: (node: NodeInfo) => Counted): Sums
  carried(): Iterable<Carried>
  /** devices that refused a pod of this owner lately; undefined = none */
  refusedBy(owner: string): ReadonlyMap<string, Avoided> | undefined
}

/** What a plugin that looks across pods says of one pod, as the world is now. */
export interface NodeTest {
  filter(node: NodeInfo): readonly Cause[]
  passes(node: NodeInfo): boolean
}

export interface WorldFilterPlugin {
  readonly name: string
  /** null = nothing to check for this pod */
  preFilter(pod: PodInfo, world: WorldView): NodeTest | null
}

export const MAX_SCORE = 100

export interface ScorePlugin {
  readonly name: string
  /** false = the same score on every node, so that it need not be asked */
  applies?(pod: PodInfo): boolean
  /** higher is better; 0 to MAX_SCORE unless `normalizeScore` brings it there */
  score(pod: PodInfo, node: NodeInfo): number
  normalizeScore?(scores: readonly number[]): readonly number[]
}

export interface WorldScorePlugin {
  readonly name: string
  /** false = the same for all */
  applies?(pod: PodInfo, world: WorldView): boolean
  /** what all nodes get when it makes no difference; default 0 */
  readonly same?: number
  /** scores of the feasible nodes in their order, 0 to MAX_SCORE; null = the same for all */
  preScore(pod: PodInfo, world: WorldView, feasible: readonly NodeInfo[]): readonly number[] | null
}

export interface ReservePlugin {
  readonly name: string
  /** what this plugin decides beside the node; parts of all plugins are merged */
  reserve(pod: PodInfo, node: NodeInfo): Placement
}

/** A pod that is chosen for a node but must not be bound yet; a cause says what it waits for. */
export interface PermitPlugin {
  readonly name: string
  permit(pod: PodInfo, node: NodeInfo): Cause | null
}

export interface Weighted<P> {
  readonly plugin: P
  readonly weight: number
}

/** One scheduler: ordered tables. Adding a rule is adding a row. */
export interface Profile {
  /** pods name it in spec.schedulerName */
  readonly name: string
  readonly filters: readonly FilterPlugin[]
  readonly worldFilters?: readonly WorldFilterPlugin[]
  /** PostFilter: whether pods of this profile may push out others */
  readonly preemption?: boolean
  readonly scores: readonly Weighted<ScorePlugin>[]
  readonly worldScores?: readonly Weighted<WorldScorePlugin>[]
  readonly reserves: readonly ReservePlugin[]
  readonly permits?: readonly PermitPlugin[]
  /** share of nodes after which the search for feasible ones may stop; default 100: every node */
  readonly percentageOfNodesToScore?: number
}
