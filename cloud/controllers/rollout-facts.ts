/** What the cluster shows of the devices of a rollout. */
import { daemonNodeOf, isEligible } from '../core/daemon-set.ts'
import { daemonTemplate } from '../core/daemon-revision.ts'
import { isDeleting, nameOf } from '../core/meta.ts'
import { podFacts, silentSince } from '../core/rollout/facts.ts'
import type { NodeFacts, PodFacts } from '../core/rollout/facts.ts'
import { targetOf } from '../core/rollout/choice.ts'
import type { Candidate } from '../core/rollout/freeze.ts'
import type { StepInput } from '../core/rollout/step-input.ts'
import { attemptTemplate } from '../core/rollout/templates.ts'
import { templateHash } from '../core/pod-template.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { ReleaseTemplates, RolloutMember } from '../resources/rollout-members.ts'
import type { Rollout } from '../resources/rollout.ts'
import type { Cluster } from './cluster.ts'
import { refusalOf } from './rollout-room.ts'
import type { DryRun } from './rollout-room.ts'

type Facts = Pick<StepInput, 'factsOf' | 'labelsOf' | 'nextHash' | 'joiners'>

export function rolloutFacts(
  { cluster, dryRun }: { readonly cluster: Cluster; readonly dryRun: DryRun },
  rollout: Rollout,
  parts: readonly ReleaseTemplates[],
  memberOf: (node: string) => RolloutMember | undefined,
): Facts {
  const pods = parts.map((part) => podsByNode(cluster.pods.by('owner', part.daemonSetUid)))
  const templates = parts.map(({ next }) => daemonTemplate(next))
  const nodeOf = (name: string): Node | undefined => cluster.nodes.get(`/${name}`)
  const isTarget = targetOf(rollout.spec)
  const fresh = cluster.nodes.values().filter((node) => memberOf(nameOf(node)) === undefined && isTarget(nameOf(node), node.metadata.labels))
  return {
    factsOf(name): NodeFacts | null {
      const node = nodeOf(name)
      if (node === undefined) return null
      return {
        silentSinceMs: silentSince(node),
        pods: templates.map((template, part) => {
          const pod = pods[part]?.get(name)
          return pod === undefined ? (isEligible(template, node) ? 'missing' : 'elsewhere') : known(pod)
        }),
      }
    },
    labelsOf: (name) => nodeOf(name)?.metadata.labels,
    nextHash: hashes(parts, rollout.status?.adopted === true),
    joiners: fresh
      .map((node): Candidate => candidateOf(node, parts, (part) => pods[part]?.get(nameOf(node)), dryRun))
      .filter(({ eligible }) => eligible),
  }
}

const seen = new WeakMap<Pod, PodFacts>()

/** Objects are replaced when they change, so that most of a fleet is read once and not in every pass. */
function known(pod: Pod): PodFacts {
  const found = seen.get(pod) ?? podFacts(pod)
  seen.set(pod, found)
  return found
}

/** A device as it is chosen and refused. */
export function candidateOf(node: Node, parts: readonly ReleaseTemplates[], podOf: (part: number) => Pod | undefined, dryRun: DryRun): Candidate {
  const here = parts.flatMap((part, index) => (isEligible(daemonTemplate(part.next), node) ? [{ part, pod: podOf(index) }] : []))
  return {
    name: nameOf(node),
    labels: node.metadata.labels,
    eligible: here.length > 0,
    refused: refusalOf(nameOf(node), here, dryRun),
    silent: silentSince(node) !== null,
  }
}

/** The live pod of each node; a terminating one only where there is no other. */
export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, Pod> {
  const out = new Map<string, Pod>()
  for (const pod of pods) {
    const node = daemonNodeOf(pod)
    const known = out.get(node)
    if (known === undefined || isDeleting(known)) out.set(node, pod)
  }
  return out
}

function hashes(parts: readonly ReleaseTemplates[], adopted: boolean): Facts['nextHash'] {
  const known = new Map<string, string>()
  return (part, attempt) => {
    const real = adopted ? 0 : attempt
    const key = `${part}/${real}`
    const next = parts[part]?.next
    const found = known.get(key) ?? (next === undefined ? '' : templateHash(attemptTemplate(next, real)))
    known.set(key, found)
    return found
  }
}
