/** "Why is this not running here?" as the page shows it: the scheduler's own answer, sorted for reading, and what the device says. */
import type { WhyAnswer, WhyNode } from '../core/scheduler/why.ts'
import { causeView } from './cause-words.ts'
import type { Mirror } from './mirror.ts'
import type { DeviceRow, PodRow } from './view-model.ts'
import type { WhyView } from './why-shape.ts'

export interface WhyQuestion {
  readonly namespace: string
  readonly name: string
  readonly device: string | null
  ask(namespace: string, name: string, device?: string): WhyAnswer | null
  readonly mirror: Mirror
}

const NEAREST = 50

/** Words of a pod that runs while another revision is on its way. */
const BEFORE: ReadonlySet<PodRow['word']> = new Set(['pulling', 'updating', 'held'])

/** What a device that passes a rule of the scheduler is or has. Every rule that can refuse a device is here. */
export const RULE_WORDS: Readonly<Record<string, string>> = {
  NodeName: 'is the device that the pod names',
  NodeUnschedulable: 'is not cordoned',
  NodeReady: 'is in contact and ready',
  TaintToleration: 'has no taint that the pod does not tolerate',
  NodeSelector: 'has the labels that the pod selects',
  Architecture: 'has the right architecture',
  NodeAffinity: 'has what the node affinity wants',
  VolumeBinding: 'is where the volumes of the pod are',
  NetworkClass: 'is on a network of the right class',
  NodePorts: 'has the host ports free',
  NodeResourcesFit: 'has CPU, memory, PIDs and pod slots free',
  NumaAlignment: 'can align CPUs and memory',
  GpuFragmentation: 'has the GPUs free',
  PodTopologySpread: 'keeps pods spread evenly',
  InterPodAffinity: 'has the right neighbours',
  RecentRefusal: 'has not refused such a pod a moment ago',
}

export function whyView({ namespace, name, device, ask, mirror }: WhyQuestion): WhyView {
  const pod = mirror.tables.pods.get(`${namespace}/${name}`) ?? null
  const about = device ?? pod?.device ?? null
  const on = about === null ? null : (mirror.tables.devices.get(about) ?? null)
  const all = pod === null ? null : ask(namespace, name)
  const here = device === null ? null : ask(namespace, name, device)
  const nodeHere = here?.nodes[0] ?? all?.nodes.find((one) => one.node === device)
  return {
    pod,
    on,
    ...sentenceOf(pod, on, here ?? all, device),
    devices: mirror.tables.devices.size,
    funnel: funnelOf(all, nodeHere),
    checklist: checklistOf(here ?? all, nodeHere),
    source: nodeHere?.source ?? '',
    nearest: (all?.nodes ?? [])
      .toSorted((a, b) => a.causes.length - b.causes.length || (a.node < b.node ? -1 : 1))
      .slice(0, NEAREST)
      .map(({ node, source, causes }) => ({ device: node, source, causes: causes.map(causeView) })),
    changes: ((here?.suggestions.length ?? 0) > 0 ? here : all)?.suggestions.map(({ node, changes }) => ({ device: node, changes })) ?? [],
    command: `skerry why ${name} -n ${namespace}${device === null ? '' : ` --on ${device}`}`,
  }
}

/** Placed is not running: from there on the device's own word counts, and a silent device has none. */
function sentenceOf(
  pod: PodRow | null,
  on: DeviceRow | null,
  answer: WhyAnswer | null,
  device: string | null,
): { readonly says: string; readonly next: string } {
  if (pod === null) return { says: 'This pod is gone.', next: 'Look at its workload: another pod may have taken its place.' }
  const placedHere = pod.device !== null && (device === null || device === pod.device)
  if (!placedHere) {
    const lead = pod.device !== null && device !== null ? `It runs on ${pod.device}, not here. ` : ''
    const first = answer?.nodes[0]?.causes[0]
    return {
      says: lead + (answer?.sentence ?? pod.cause?.says ?? 'The cloud has not looked at it yet.'),
      next: device !== null && first !== undefined ? causeView(first).next : (pod.cause?.next ?? ''),
    }
  }
  if (pod.word === 'unknown')
    return {
      says: `${pod.device ?? ''} is silent: nothing is known of it now. ${pod.cause?.says ?? ''}`,
      next: 'It goes on by itself when the device is heard again.',
    }
  if (pod.word === 'running')
    return { says: `It runs on ${pod.device ?? ''}.`, next: on?.word === 'offline' ? 'What is shown is old: the device is silent.' : '' }
  const runsOn = pod.startedAtMs !== null && BEFORE.has(pod.word) ? ' The revision before runs on until then.' : ''
  return { says: (pod.cause?.says ?? `It is ${pod.word} on ${pod.device ?? ''}.`) + runsOn, next: pod.cause?.next ?? '' }
}

function funnelOf(answer: WhyAnswer | null, here: WhyNode | undefined): WhyView['funnel'] {
  const firstFault = answer?.rules.find((rule) => here?.rules.includes(rule))
  return (answer?.funnel ?? []).map(({ plugin, left }) => ({ rule: plugin, says: RULE_WORDS[plugin] ?? plugin, left, here: plugin === firstFault }))
}

function checklistOf(answer: WhyAnswer | null, here: WhyNode | undefined): WhyView['checklist'] {
  if (answer === null || here === undefined) return []
  return answer.rules.map((rule) => ({
    rule,
    says: RULE_WORDS[rule] ?? rule,
    causes: here.causes.filter((_, at) => here.rules[at] === rule).map(causeView),
  }))
}
