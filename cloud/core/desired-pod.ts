/** One pod as a device's document has it. */
import { containerHashes, PLACEMENT, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredPod, Placement } from '../../protocol/desired-state.ts'
import { parse } from '../../protocol/shape.ts'
import type { Pod } from '../resources/pod.ts'
import { podPolicy } from '../resources/update-annotations.ts'
import { isLost } from './lost-pods.ts'
import { annotationOf, nameOf, namespaceOf, uidOf } from './meta.ts'
import { containerPids } from './scheduler/pod-requests.ts'

/** What was decided beside the node, kept on the pod as JSON. */
export const PLACEMENT_ANNOTATION = 'skerry.dev/placement'

export function desiredPod(pod: Pod): DesiredPod {
  const placement = placementOf(pod)
  const hashes = containerHashes(pod.spec, placement)
  const said = podPolicy(pod.metadata.annotations)
  const policy = isLost(pod) ? { ...said, standby: true } : said
  return {
    uid: uidOf(pod),
    namespace: namespaceOf(pod),
    name: nameOf(pod),
    ...(pod.metadata.labels === undefined ? {} : { labels: pod.metadata.labels }),
    specHash: podSpecHash(pod.spec, placement),
    spec: pod.spec,
    placement,
    ...(hashes === undefined ? {} : { hashes }),
    ...(policy === null ? {} : { policy }),
  }
}

/** As the scheduler left it; pods that were bound by hand get the defaults. */
export function placementOf(pod: Pod): Placement {
  const defaults: Placement = { pids: containerPids(pod.spec, pod.spec.containers[0]?.resources) }
  const text = annotationOf(pod, PLACEMENT_ANNOTATION)
  if (text === undefined) return defaults
  const parsed = parse(PLACEMENT, parseJson(text), 'refuse')
  return parsed.ok ? { ...defaults, ...parsed.value } : defaults
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return null
  }
}

/** The revision that a pod asks for, as its device names it. */
export function desiredHash(pod: Pod): string {
  return podSpecHash(pod.spec, placementOf(pod))
}
