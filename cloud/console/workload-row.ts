/** One workload as a row: how much of it is wanted, ready and without a place, in numbers and one sentence. */
import { nameOf, namespaceOf } from '../core/meta.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Deployment } from '../resources/deployment.ts'
import type { Pod } from '../resources/pod.ts'
import { stamp } from './pod-row.ts'
import type { PodRow, Tone, WorkloadRow } from './view-model.ts'

export type Workload = Deployment | DaemonSet | Pod

/** @param pods the workload's rows */
export function workloadRow(workload: Workload, pods: readonly PodRow[]): WorkloadRow {
  const live = pods.filter((one) => one.word !== 'removing')
  const notPlaced = live.filter((one) => one.word === 'not-placed').length
  const troubled = live.filter((one) => one.tone === 'bad' && one.word !== 'not-placed').length
  const silent = live.filter((one) => one.word === 'unknown').length
  const { desired, ready } = countsOf(workload, live)
  const numbers = { desired, ready, notPlaced, troubled, silent }
  return {
    key: `${workload.kind}/${namespaceOf(workload)}/${nameOf(workload)}`,
    kind: workload.kind,
    namespace: namespaceOf(workload),
    name: nameOf(workload),
    image: podSpecOf(workload)?.containers[0]?.image ?? '',
    ...standing(numbers),
    desired,
    ready,
    notPlaced,
    troubled,
    createdAtMs: stamp(workload.metadata.creationTimestamp),
  }
}

interface Numbers {
  readonly desired: number
  readonly ready: number
  readonly notPlaced: number
  readonly troubled: number
  readonly silent: number
}

function standing({ desired, ready, notPlaced, troubled, silent }: Numbers): { readonly tone: Tone; readonly says: string } {
  const parts = [
    ...(notPlaced > 0 ? [`${notPlaced} not placed`] : []),
    ...(troubled > 0 ? [`${troubled} in trouble`] : []),
    ...(silent > 0 ? [`${silent} on silent devices`] : []),
  ]
  if (notPlaced + troubled > 0) return { tone: 'bad', says: parts.join(', ') }
  if (silent > 0) return { tone: 'unknown', says: parts.join(', ') }
  if (ready < desired) return { tone: 'busy', says: `${desired - ready} on the way` }
  return { tone: 'ok', says: desired === 0 ? 'nothing wanted' : 'all ready' }
}

function countsOf(workload: Workload, pods: readonly PodRow[]): { readonly desired: number; readonly ready: number } {
  const running = pods.filter((one) => one.tone === 'ok').length
  if (isDeployment(workload)) return { desired: workload.spec.replicas ?? 1, ready: running }
  if (isDaemonSet(workload)) return { desired: Math.max(workload.status?.desiredNumberScheduled ?? 0, pods.length), ready: running }
  return { desired: 1, ready: running }
}

function podSpecOf(workload: Workload): Pod['spec'] | undefined {
  return isDeployment(workload) || isDaemonSet(workload) ? workload.spec.template?.spec : workload.spec
}

function isDeployment(workload: Workload): workload is Deployment {
  return workload.kind === 'Deployment'
}

function isDaemonSet(workload: Workload): workload is DaemonSet {
  return workload.kind === 'DaemonSet'
}
