/** One workload as a row: how much of it is wanted, ready and without a place, in numbers and one sentence. */
import { conditionOf, nameOf, namespaceOf } from '../core/meta.ts'
import type { CronJob } from '../resources/cron-job.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Deployment } from '../resources/deployment.ts'
import type { Job } from '../resources/job.ts'
import type { Pod } from '../resources/pod.ts'
import type { StatefulSet } from '../resources/stateful-set.ts'
import { stamp } from './pod-row.ts'
import type { PodRow, WorkloadRow } from './view-model.ts'

export type Workload = Deployment | StatefulSet | DaemonSet | Job | CronJob | Pod

/** Pods of one workload, counted; those that are being removed only in `all`. */
export interface PodTally {
  readonly all: number
  readonly live: number
  readonly good: number
  readonly notPlaced: number
  readonly troubled: number
  readonly silent: number
}

export const EMPTY_TALLY: PodTally = { all: 0, live: 0, good: 0, notPlaced: 0, troubled: 0, silent: 0 }

/** The tally with a row counted in or out. */
export function tallied(tally: PodTally, { word, tone }: PodRow, by: 1 | -1): PodTally {
  const live = word !== 'removing'
  const count = (yes: boolean): number => (live && yes ? by : 0)
  return {
    all: tally.all + by,
    live: tally.live + count(true),
    good: tally.good + count(tone === 'ok'),
    notPlaced: tally.notPlaced + count(word === 'not-placed'),
    troubled: tally.troubled + count(tone === 'bad' && word !== 'not-placed'),
    silent: tally.silent + count(word === 'unknown'),
  }
}

export function workloadRow(workload: Workload, tally: PodTally): WorkloadRow {
  const { desired, ready } = countsOf(workload, tally)
  return {
    key: `${workload.kind}/${namespaceOf(workload)}/${nameOf(workload)}`,
    kind: workload.kind,
    namespace: namespaceOf(workload),
    name: nameOf(workload),
    image: imageOf(workload),
    ...standing(workload, tally, { desired, ready }),
    desired,
    ready,
    notPlaced: tally.notPlaced,
    troubled: tally.troubled,
    createdAtMs: stamp(workload.metadata.creationTimestamp),
  }
}

interface Counts {
  readonly desired: number
  readonly ready: number
}

function standing(
  workload: Workload,
  { notPlaced, troubled, silent }: PodTally,
  { desired, ready }: Counts,
): Pick<WorkloadRow, 'word' | 'tone' | 'says'> {
  const failed = isJob(workload) ? conditionOf(workload.status?.conditions, 'Failed') : null
  if (failed?.status === 'True')
    return { word: 'trouble', tone: 'bad', says: `failed: ${failed.message ?? failed.reason ?? 'its pods did not end well'}` }
  const parts = [
    ...(notPlaced > 0 ? [`${notPlaced} not placed`] : []),
    ...(troubled > 0 ? [`${troubled} in trouble`] : []),
    ...(silent > 0 ? [`${silent} on silent devices`] : []),
  ]
  if (notPlaced + troubled > 0) return { word: 'trouble', tone: 'bad', says: parts.join(', ') }
  if (silent > 0) return { word: 'unknown', tone: 'unknown', says: parts.join(', ') }
  if (isCronJob(workload))
    return { word: 'fine', tone: 'ok', says: workload.spec.suspend === true ? 'suspended' : `runs at ${workload.spec.schedule}` }
  if (ready < desired) return { word: 'changing', tone: 'busy', says: `${desired - ready} on the way` }
  return { word: 'fine', tone: 'ok', says: desired === 0 ? 'nothing wanted' : isJob(workload) ? 'complete or running' : 'all ready' }
}

function countsOf(workload: Workload, { live, good }: PodTally): Counts {
  if (isReplicated(workload)) return { desired: workload.spec.replicas ?? 1, ready: good }
  if (isDaemonSet(workload)) return { desired: Math.max(workload.status?.desiredNumberScheduled ?? 0, live), ready: good }
  if (isJob(workload)) return { desired: workload.spec.completions ?? 1, ready: Math.max(workload.status?.succeeded ?? 0, good) }
  if (isCronJob(workload)) return { desired: live, ready: good }
  return { desired: 1, ready: good }
}

function imageOf(workload: Workload): string {
  const spec = isCronJob(workload)
    ? workload.spec.jobTemplate.spec.template.spec
    : isReplicated(workload) || isDaemonSet(workload) || isJob(workload)
      ? workload.spec.template?.spec
      : workload.spec
  return spec?.containers[0]?.image ?? ''
}

function isReplicated(workload: Workload): workload is Deployment | StatefulSet {
  return workload.kind === 'Deployment' || workload.kind === 'StatefulSet'
}

function isDaemonSet(workload: Workload): workload is DaemonSet {
  return workload.kind === 'DaemonSet'
}

function isJob(workload: Workload): workload is Job {
  return workload.kind === 'Job'
}

function isCronJob(workload: Workload): workload is CronJob {
  return workload.kind === 'CronJob'
}
