/** Would a document that is made of a device now soon be old? */
import { LIMITS } from '../../protocol/limits.ts'
import { isDeleting } from '../core/meta.ts'
import type { Cluster } from './cluster.ts'
import type { Controller } from './run-controller.ts'

/** Pods are being bound, or some of the device go and others may be on their way in their place. @returns when to look again */
export function stillDeciding(cluster: Cluster, scheduler: Controller, workloads: readonly Controller[]): (device: string) => number | null {
  const goes = (device: string): boolean => cluster.pods.by('node', device).some(isDeleting)
  return (device) => {
    if (!scheduler.queue.isIdle()) return LIMITS.publishQuietMs.value
    return workloads.some(({ queue }) => !queue.isIdle()) && goes(device) ? LIMITS.publishReplaceMs.value : null
  }
}
