/** CronJobs that devices keep by themselves: the annotation, and what such a CronJob cannot ask for. */
import type { Issue } from '../../protocol/shape.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { JobSpec } from './job.ts'
import type { KubeObject } from './object.ts'

/**
 * `skerry.dev/run-on: device` on a CronJob: every device that its pod template fits (nodeSelector, nodeName, taints; as for a
 * DaemonSet) runs it by its own clock and time zone, also without a network. One Job a run and device shows it here.
 */
export const RUN_ON_ANNOTATION = 'skerry.dev/run-on'
/** on the Jobs and pods that show a run of a device: its name */
export const RUN_DEVICE_ANNOTATION = 'skerry.dev/run-device'

/** the names of its Jobs end in the minute of the run and five digits for the device, and stay labels */
const NAME_MAX = 46
const PLAIN_RESOURCES: ReadonlySet<string> = new Set(['cpu', 'memory', 'pids', 'ephemeral-storage'])

interface Scheduled {
  readonly metadata: KubeObject['metadata']
  readonly spec: {
    readonly successfulJobsHistoryLimit?: number
    readonly failedJobsHistoryLimit?: number
    readonly jobTemplate: { readonly spec: JobSpec }
  }
}

export function runsOnDevices(cron: Pick<Scheduled, 'metadata'>): boolean {
  return cron.metadata.annotations?.[RUN_ON_ANNOTATION] === 'device'
}

/** Everything wrong with where it is to run; nothing for ordinary CronJobs. */
export function deviceScheduleIssues({ metadata, spec }: Scheduled): readonly Issue[] {
  const where = metadata.annotations?.[RUN_ON_ANNOTATION]
  if (where === undefined) return []
  const path = `metadata.annotations[${RUN_ON_ANNOTATION}]`
  if (where !== 'device')
    return [{ path, kind: 'invalid', message: `must be "device", or left out for runs that the cloud places, is ${JSON.stringify(where)}` }]
  const issues: Issue[] = []
  const add = (field: string, message: string, kind: Issue['kind'] = 'unsupported'): void => {
    issues.push({ path: field, kind, message: `${message} (${RUN_ON_ANNOTATION} is "device")` })
  }
  if ((metadata.name ?? '').length > NAME_MAX)
    add('metadata.name', `must be at most ${NAME_MAX} characters: the names of its Jobs are longer`, 'invalid')
  const job = spec.jobTemplate.spec
  for (const field of ['completions', 'parallelism'] as const)
    if ((job[field] ?? 1) !== 1) add(`spec.jobTemplate.spec.${field}`, 'must be 1: a device runs one pod at a time for each run')
  for (const field of ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const)
    if ((spec[field] ?? 0) > LIMITS.scheduleHistory.value)
      add(`spec.${field}`, `must be at most ${LIMITS.scheduleHistory.value}: the runs stay on the device`)
  const pod = job.template.spec
  const podPath = 'spec.jobTemplate.spec.template.spec'
  if (pod.affinity !== undefined) add(`${podPath}.affinity`, 'is not used: choose the devices by nodeSelector or nodeName')
  if (pod.topologySpreadConstraints !== undefined) add(`${podPath}.topologySpreadConstraints`, 'is not used: every device that fits runs it')
  pod.containers.forEach((container, index) => {
    for (const name of Object.keys({ ...container.resources?.limits, ...container.resources?.requests }))
      if (!PLAIN_RESOURCES.has(name)) add(`${podPath}.containers[${index}].resources.limits["${name}"]`, 'cannot be promised without the scheduler')
  })
  return issues
}
