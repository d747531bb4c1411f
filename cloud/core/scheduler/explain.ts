/** Why no device takes a pod: every rule on every node, kept as causes, and one sentence with the numbers that matter. */
import { cause, causeSentence } from '../../../protocol/causes.ts'
import type { Cause, CauseCode } from '../../../protocol/causes.ts'
import { compareText } from '../meta.ts'
import { amountText } from './filters/node-resources-fit.ts'
import type { NodeInfo, PodInfo, Profile, Snapshot } from './framework.ts'
import { faultsOn, worldTests } from './verdict.ts'
import { World } from './world.ts'

export interface NodeRefusal {
  readonly node: string
  readonly reasons: readonly { readonly plugin: string; readonly cause: Cause }[]
}

export interface Refusal {
  readonly cause: Cause
  /** the cause as one sentence, for the pod's condition and events */
  readonly sentence: string
  readonly nodes: readonly NodeRefusal[]
  readonly funnel: readonly FunnelStep[]
}

/** How many nodes are left after each rule, in the order of the rules; rules that stop nobody are left out. */
export interface FunnelStep {
  readonly plugin: string
  readonly left: number
}

/** Evaluates all rules on all nodes; nodes that could take the pod have no reasons. */
export function explain(profile: Profile, pod: PodInfo, where: World | Snapshot): Refusal {
  const world = where instanceof World ? where : new World(where.values())
  const tests = worldTests(profile, pod, world)
  const nodes = world.nodes.map((node) => ({ node: node.name, reasons: faultsOn(profile, pod, tests, node) }))
  const why =
    nodes.length === 0 ? cause('placement.no-nodes') : cause('placement.none', { nodes: nodes.length, summary: summary(pod, nodes, world.byName) })
  return { cause: why, sentence: causeSentence(why), nodes, funnel: funnelOf(profile, nodes) }
}

function funnelOf(profile: Profile, nodes: readonly NodeRefusal[]): readonly FunnelStep[] {
  const out: FunnelStep[] = []
  let left = nodes
  for (const { name } of [...profile.filters, ...(profile.worldFilters ?? [])]) {
    const passed = left.filter(({ reasons }) => reasons.every((reason) => reason.plugin !== name))
    if (passed.length < left.length) out.push({ plugin: name, left: passed.length })
    left = passed
  }
  return out
}

/** `3 too little memory (needs 2Gi, most free 1Gi); 2 not ready`: a node counts once for each rule that refuses it. */
function summary(pod: PodInfo, refusals: readonly NodeRefusal[], snapshot: Snapshot): string {
  // a pod for one node: what the others say does not matter once that node exists
  const told = pod.requiredNode !== null && snapshot.has(pod.requiredNode) ? refusals.filter(({ node }) => node === pod.requiredNode) : refusals
  const groups = new Map<string, { readonly cause: Cause; readonly nodes: NodeInfo[] }>()
  for (const { node, reasons } of told) {
    const info = snapshot.get(node)
    if (info === undefined) continue
    for (const { cause: why } of reasons) {
      const key = groupKey(why)
      const group = groups.get(key) ?? { cause: why, nodes: [] }
      if (!group.nodes.includes(info)) group.nodes.push(info)
      groups.set(key, group)
    }
  }
  return [...groups.entries()]
    .sort(([keyA, a], [keyB, b]) => b.nodes.length - a.nodes.length || compareText(keyA, keyB))
    .map(([, group]) => `${group.nodes.length} ${phrase(pod, group.cause, group.nodes)}`)
    .join('; ')
}

/** Reasons that read the same are counted together. */
function groupKey({ code, facts }: Cause): string {
  return [code, facts['resource'], facts['taint'], facts['key'], facts['port']].filter((part) => part !== undefined).join('|')
}

const SHORT: Readonly<Partial<Record<CauseCode, string>>> = {
  'placement.cpu.short': 'cpu',
  'placement.memory.short': 'memory',
  'placement.pids.short': 'pids',
  'placement.storage.short': 'ephemeral-storage',
}

function phrase(pod: PodInfo, { code, facts }: Cause, nodes: readonly NodeInfo[]): string {
  const resource = SHORT[code] ?? facts['resource']
  if (resource !== undefined) {
    const free = nodes.map((node) => (node.allocatable[resource] ?? 0) - (node.requested[resource] ?? 0))
    const most = Math.max(0, ...free)
    const words = resource === 'pids' ? 'too few PIDs' : `too little ${resource === 'ephemeral-storage' ? 'ephemeral storage' : resource}`
    return `${words} (needs ${amountText(resource, pod.requests[resource] ?? 0)}, most free ${amountText(resource, most)})`
  }
  switch (code) {
    case 'placement.pods.full':
      return 'full (no pod slot free)'
    case 'placement.selector.mismatch':
      return `without label ${facts['key'] ?? ''}=${facts['needs'] ?? ''}`
    case 'placement.taint.untolerated':
      return `with the taint ${facts['taint'] ?? ''} that the pod does not tolerate`
    case 'placement.arch.mismatch':
      return `of another architecture (needs ${facts['needs'] ?? ''})`
    case 'placement.node.other':
      return `not ${facts['needs'] ?? ''}, the device that the pod names`
    case 'placement.volume.elsewhere':
      return `not ${facts['on'] ?? ''}, which has the volume of claim ${facts['claim'] ?? ''}`
    case 'placement.node.cordoned':
      return 'cordoned'
    case 'placement.node.not-ready':
      return 'not ready'
    case 'placement.port.taken':
      return `with host port ${facts['port'] ?? ''} taken`
    case 'placement.affinity.node':
      return `without what the node affinity wants (${facts['needs'] ?? ''})`
    case 'placement.affinity.pods-missing':
      return `without a pod nearby that this one must be near (by ${facts['key'] ?? ''})`
    case 'placement.affinity.pods-present':
      return `near a pod that this one must not be near (by ${facts['key'] ?? ''})`
    case 'placement.affinity.pods-refuse':
      return `near a pod that keeps this one away (by ${facts['key'] ?? ''})`
    case 'placement.spread.no-label':
      return `without the label ${facts['key'] ?? ''} to spread by`
    case 'placement.spread.skew':
      return `where one more would be too uneven by ${facts['key'] ?? ''} (allowed skew ${facts['max'] ?? ''})`
    case 'placement.refused.recently':
      return 'that refused such a pod a moment ago'
    case 'placement.network.class':
      return `on another network (needs ${facts['needs'] ?? ''})`
    default:
      return hardwarePhrase(code, facts) ?? causeSentence({ code, facts })
  }
}

/** The same for what sits where: what the first device says of itself is not true of all. */
function hardwarePhrase(code: CauseCode, facts: Cause['facts']): string | null {
  const needs = facts['needs'] ?? ''
  switch (code) {
    case 'placement.numa.split':
      return `without ${needs} near each other (${facts['policy'] ?? ''})`
    case 'placement.numa.unknown':
      return 'that did not say how CPUs and memory are laid out'
    case 'placement.numa.nodes-few':
      return `with fewer than ${needs} NUMA nodes`
    case 'placement.numa.too-large':
      return 'with too many NUMA nodes to align'
    case 'placement.cpu.exclusive-short':
      return `without ${needs} CPUs that a pod may have for itself`
    case 'placement.cpu.cores-split':
      return `without ${needs} CPUs in whole cores`
    case 'placement.gpu.model':
      return `with GPUs of another model (needs ${needs})`
    case 'placement.gpu.short':
      return `without ${needs} idle GPUs`
    case 'placement.gpu.share-short':
      return `where no GPU has ${needs} left`
    case 'placement.gpu.none':
      return 'without a GPU that can be shared'
    case 'placement.ask.invalid':
      return `cannot judge it, because ${causeSentence({ code, facts })}`
    default:
      return null
  }
}
