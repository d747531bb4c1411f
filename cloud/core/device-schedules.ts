/** CronJobs that devices keep: what a device gets to know of each, and which devices it concerns. */
import { containerHashes, podSpecHash } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import type { CronJob } from '../resources/cron-job.ts'
import { runsOnDevices } from '../resources/device-schedule.ts'
import { utf8Bytes } from '../resources/metadata-rules.ts'
import type { Node } from '../resources/node.ts'
import { PODS } from '../resources/pod.ts'
import type { Pod } from '../resources/pod.ts'
import { isEligible } from './daemon-set.ts'
import { compareText, isDeleting, keyOf, nameOf, namespaceOf, uidOf } from './meta.ts'
import { podFromTemplate } from './pod-template.ts'
import { stampOr } from './pod-state.ts'
import { containerPids } from './scheduler/pod-requests.ts'

/** Schedules may take this part of a document: what runs all the time needs the rest. */
const PART = 0.5

export interface SchedulesBeside {
  readonly schedules: readonly DesiredSchedule[]
  /** a pod as each would run it: for its images and values; not in any store */
  readonly pods: readonly Pod[]
  /** CronJobs that find no room in the document of this device */
  readonly leftOut: readonly CronJob[]
}

export function concernsNode(cron: CronJob, node: Node): boolean {
  return runsOnDevices(cron) && !isDeleting(cron) && isEligible(cron.spec.jobTemplate.spec.template, node)
}

/** In the order of their names, so that equal wishes give equal documents. */
export function schedulesBeside(node: Node, crons: readonly CronJob[]): SchedulesBeside {
  const schedules: DesiredSchedule[] = []
  const pods: Pod[] = []
  const leftOut: CronJob[] = []
  let bytes = 0
  for (const cron of crons.filter((one) => concernsNode(one, node)).toSorted((a, b) => compareText(keyOf(a), keyOf(b)))) {
    const pod = podOf(cron)
    const schedule = scheduleOf(cron, pod)
    const size = utf8Bytes(JSON.stringify(schedule))
    if (schedules.length >= LIMITS.schedulesPerDevice.value || bytes + size > LIMITS.desiredStateBytes.value * PART) {
      leftOut.push(cron)
      continue
    }
    bytes += size
    schedules.push(schedule)
    pods.push(pod)
  }
  return { schedules, pods, leftOut }
}

/** A pod of its template with the defaults that pods get. */
export function podOf(cron: CronJob): Pod {
  return PODS.defaults(podFromTemplate(cron, cron.spec.jobTemplate.spec.template, { suffix: 'run' }))
}

function scheduleOf(cron: CronJob, pod: Pod): DesiredSchedule {
  const { spec } = cron
  const job = spec.jobTemplate.spec
  const pids = containerPids(pod.spec, pod.spec.containers[0]?.resources)
  const hashes = containerHashes(pod.spec, { pids })
  return {
    uid: uidOf(cron),
    namespace: namespaceOf(cron),
    name: nameOf(cron),
    schedule: spec.schedule,
    ...(spec.timeZone === undefined ? {} : { timeZone: spec.timeZone }),
    ...(spec.suspend === true ? { suspend: true } : {}),
    concurrency: spec.concurrencyPolicy ?? 'Allow',
    ...(spec.startingDeadlineSeconds === undefined ? {} : { startingDeadlineSeconds: spec.startingDeadlineSeconds }),
    sinceMs: stampOr(cron.metadata.creationTimestamp, 0),
    keepComplete: spec.successfulJobsHistoryLimit ?? 3,
    keepFailed: spec.failedJobsHistoryLimit ?? 1,
    backoffLimit: job.backoffLimit ?? 6,
    ...(job.activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds: job.activeDeadlineSeconds }),
    pod: {
      ...(pod.metadata.labels === undefined ? {} : { labels: pod.metadata.labels }),
      specHash: podSpecHash(pod.spec, { pids }),
      spec: pod.spec,
      ...(hashes === undefined ? {} : { hashes }),
      pids,
    },
  }
}
