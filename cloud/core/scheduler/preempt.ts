/** PostFilter: which pods of lower priority would have to go so that this one fits? By the rules of Kubernetes' DefaultPreemption. */
import { compareText } from '../meta.ts'
import type { NodeInfo, PodInfo, Profile } from './framework.ts'
import { withoutPod, withPod } from './snapshot.ts'
import { namedCandidates, passesLocally, passesTests, worldTests } from './verdict.ts'
import type { World } from './world.ts'

export interface Preemption {
  readonly node: string
  /** never empty; least important last */
  readonly victims: readonly PodInfo[]
}

/** Nodes that are tried when rules look across pods, which makes each try cost a pass over all nodes. */
const COSTLY_TRIES = 100

/** The node where the least is lost, with as few victims as possible; null when pushing out pods helps nowhere. */
export function preempt(profile: Profile, pod: PodInfo, world: World): Preemption | null {
  if (profile.preemption !== true || pod.pod.spec.preemptionPolicy === 'Never') return null
  const costly = worldTests(profile, pod, world).length > 0
  const found: Preemption[] = []
  for (const node of namedCandidates(profile, pod, world.byName) ?? world.nodes) {
    const victims = victimsOn(profile, pod, world, node)
    if (victims !== null && victims.length > 0) found.push({ node: node.name, victims })
    if (costly && found.length >= COSTLY_TRIES) break
  }
  return found.reduce<Preemption | null>((best, one) => (best === null || compareLoss(one, best) < 0 ? one : best), null)
}

/** Takes all lower pods away, then gives back each one that may stay, the most important first. */
function victimsOn(profile: Profile, pod: PodInfo, world: World, node: NodeInfo): readonly PodInfo[] | null {
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority && !other.leaving && other.uid !== pod.uid)
  if (lower.length === 0) return null
  let kept = lower.reduce((left, other) => withoutPod(left, other.uid), node)
  if (!takes(profile, pod, world, kept)) return null
  const victims: PodInfo[] = []
  for (const other of lower.toSorted(byImportance)) {
    const tried = withPod(kept, other)
    if (takes(profile, pod, world, tried)) kept = tried
    else victims.push(other)
  }
  return victims
}

function takes(profile: Profile, pod: PodInfo, world: World, node: NodeInfo): boolean {
  return passesLocally(profile, pod, node) && world.supposing([node], () => passesTests(worldTests(profile, pod, world), node))
}

/** Higher priority first, then the one that is older. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || compareText(startOf(a), startOf(b)) || compareText(a.key, b.key)
}

function startOf({ pod }: PodInfo): string {
  return pod.status?.startTime ?? pod.metadata.creationTimestamp ?? ''
}

/** Negative when `a` loses less: the highest victim, the sum of all, their number, then the younger pods go first. */
function compareLoss(a: Preemption, b: Preemption): number {
  const [firstA, firstB] = [a.victims[0], b.victims[0]]
  return (
    (firstA?.priority ?? 0) - (firstB?.priority ?? 0) ||
    weightOf(a) - weightOf(b) ||
    a.victims.length - b.victims.length ||
    (firstA === undefined || firstB === undefined ? 0 : compareText(startOf(firstB), startOf(firstA))) ||
    compareText(a.node, b.node)
  )
}

/** Priorities counted from the lowest possible, so that one more victim always weighs more. */
function weightOf({ victims }: Preemption): number {
  return victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0)
}
