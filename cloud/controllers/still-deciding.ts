/** Would a document that is made of a device now soon be old? */
import { isDeleting } from '../core/meta.ts'
import type { Cluster } from './cluster.ts'
import type { Controller } from './run-controller.ts'

/** Pods are being bound, or some of the device go and others may be on their way in their place. */
export function stillDeciding(cluster: Cluster, scheduler: Controller, workloads: readonly Controller[]): (device: string) => boolean {
  const goes = (device: string): boolean => cluster.pods.by('node', device).some(isDeleting)
  return (device) => !scheduler.queue.isIdle() || (workloads.some(({ queue }) => !queue.isIdle()) && goes(device))
}
