/** Which objects of the cluster concern the images of a device, and which devices an object concerns. */
import { annotationOf, namespaceOf } from '../core/meta.ts'
import { imagesBeside, PREFETCH_ANNOTATION, pullSecretsOf } from '../core/images-beside.ts'
import type { Ahead } from '../core/rollout/ahead.ts'
import type { Beside } from '../core/images-beside.ts'
import { selects } from '../core/selector.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Deployment } from '../resources/deployment.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { Cluster } from './cluster.ts'

type Workload = Deployment | DaemonSet

/**
 * What travels beside the pods of this device for their images. `scheduled` are to run some time: their images are fetched
 * ahead, as are those that rollouts name (`ahead`).
 */
export function imagesOf(
  cluster: Cluster,
  device: string,
  bound: readonly Pod[],
  scheduled: readonly Pod[] = [],
  ahead: Ahead = { images: [], rates: [] },
): Beside {
  const node = cluster.nodes.get(`/${device}`)
  const wishing = [...cluster.deployments.values(), ...cluster.daemonSets.values()].filter(
    (workload) => wishes(workload) && bound.some((pod) => concerns(workload, pod)),
  )
  return imagesBeside(
    bound,
    (key) => cluster.secrets.get(key),
    [
      ...(node === undefined ? [] : [{ object: node, templateImages: [] }]),
      ...(ahead.images.length === 0 ? [] : [{ object: WISH, templateImages: ahead.images }]),
      ...wishing.map((object) => ({ object, templateImages: object.spec.template.spec.containers.map(({ image }) => image) })),
    ],
    scheduled,
    ahead.rates,
  )
}

const WISH: KubeObject = { apiVersion: 'v1', kind: 'Wish', metadata: { annotations: { [PREFETCH_ANNOTATION]: 'template' } } }

/** Calls back with each device whose images may have changed. */
export function watchImageWishes(cluster: Cluster, wake: (device: string) => void): void {
  const wakeAll = (concerned: (pod: Pod) => boolean): void => {
    for (const pod of cluster.pods.values()) if (pod.spec.nodeName !== undefined && concerned(pod)) wake(pod.spec.nodeName)
  }
  cluster.secrets.onChange((next, previous) => {
    const secret = next ?? previous
    if (secret === null || secret.type?.startsWith('kubernetes.io/dockerc') !== true) return
    const key = `${namespaceOf(secret)}/${secret.metadata.name ?? ''}`
    wakeAll((pod) => pullSecretsOf(pod).includes(key))
  })
  const onWorkload = (next: Workload | null, previous: Workload | null): void => {
    for (const workload of [next, previous]) if (workload !== null && wishes(workload)) wakeAll((pod) => concerns(workload, pod))
  }
  cluster.deployments.onChange(onWorkload)
  cluster.daemonSets.onChange(onWorkload)
  cluster.nodes.onChange((next, previous) => {
    const wish = (node: KubeObject | null): string | undefined => (node === null ? undefined : annotationOf(node, PREFETCH_ANNOTATION))
    if (next !== null && wish(next) !== wish(previous)) wake(next.metadata.name ?? '')
  })
}

function wishes(object: KubeObject): boolean {
  return annotationOf(object, PREFETCH_ANNOTATION) !== undefined
}

function concerns(workload: Workload, pod: Pod): boolean {
  return namespaceOf(workload) === namespaceOf(pod) && selects(workload.spec.selector, pod.metadata.labels)
}
