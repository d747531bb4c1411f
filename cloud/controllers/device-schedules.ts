/** Which schedules a device keeps, which devices a change of them concerns, and the Jobs and pods that show their runs. */
import type { StatusReport } from '../../protocol/status-report.ts'
import { configKeysOf } from '../core/configs-beside.ts'
import { planDeviceRuns } from '../core/device-runs.ts'
import { isEligible } from '../core/daemon-set.ts'
import { podOf, schedulesBeside } from '../core/device-schedules.ts'
import type { SchedulesBeside } from '../core/device-schedules.ts'
import { controllerReference, keyOf, nameOf, uidOf } from '../core/meta.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import type { CronJob } from '../resources/cron-job.ts'
import { runsOnDevices } from '../resources/device-schedule.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Cluster } from './cluster.ts'
import type { EventRecorder } from './event-recorder.ts'

const NONE: SchedulesBeside = { schedules: [], pods: [], leftOut: [] }

export function schedulesFor(cluster: Cluster, device: string): SchedulesBeside {
  const node = cluster.nodes.get(`/${device}`)
  return node === undefined ? NONE : schedulesBeside(node, cluster.cronJobs.values())
}

/** Calls back with each device whose schedules may have changed. */
export function watchSchedules(cluster: Cluster, wake: (device: string) => void): void {
  const wakeFor = (cron: CronJob): void => {
    if (!runsOnDevices(cron)) return
    for (const node of cluster.nodes.values()) if (isEligible(cron.spec.jobTemplate.spec.template, node)) wake(nameOf(node))
  }
  cluster.cronJobs.onChange((next, previous) => {
    if (next !== null && previous !== null && canonicalJson(wishOf(next)) === canonicalJson(wishOf(previous))) return
    for (const cron of [next, previous]) if (cron !== null) wakeFor(cron)
  })
  cluster.nodes.onChange((next, previous) => {
    const place = (node: KubeObject | null): unknown => [node?.metadata.labels ?? null, node?.['spec'] ?? null]
    if (next === null || canonicalJson(place(next)) === canonicalJson(place(previous))) return
    if (cluster.cronJobs.values().some(runsOnDevices)) wake(nameOf(next))
  })
  const onConfig =
    (kind: string) =>
    (next: KubeObject | null, previous: KubeObject | null): void => {
      const config = next ?? previous
      if (config === null) return
      const key = `${kind} ${keyOf(config)}`
      for (const cron of cluster.cronJobs.values()) if (runsOnDevices(cron) && configKeysOf(podOf(cron)).includes(key)) wakeFor(cron)
    }
  cluster.configMaps.onChange(onConfig('ConfigMap'))
  cluster.secrets.onChange(onConfig('Secret'))
}

function wishOf({ metadata, spec }: CronJob): unknown {
  return [spec, metadata.annotations ?? null, metadata.deletionTimestamp ?? null]
}

/** Said once for each CronJob and device, as long as it lasts. */
export function tellLeftOut(events: EventRecorder, device: string, crons: readonly CronJob[]): void {
  for (const about of crons) {
    const message = `The document of ${device} has no room for this schedule; make its pod template smaller, or run fewer there.`
    events.record({ about, type: 'Warning', reason: 'DeviceDocumentFull', message, component: 'publisher' })
  }
}

/** Jobs and pods of the runs that this report tells of. */
export async function writeRuns(cluster: Cluster, device: string, report: StatusReport): Promise<void> {
  const jobs = cluster.jobs.by('device', device)
  if ((report.schedules ?? []).length === 0 && jobs.length === 0) return
  const crons = new Map(cluster.cronJobs.values().map((cron) => [uidOf(cron), cron]))
  const plan = planDeviceRuns(device, report, { jobs, pods: cluster.pods.by('node', device), cronOf: (uid) => crons.get(uid) })
  await Promise.all(plan.jobs.filter((job) => !cluster.isClosing(job.metadata.namespace ?? '')).map((job) => cluster.create(cluster.jobs, job)))
  await Promise.all(
    plan.status.map(({ key, status }) =>
      cluster.change(cluster.jobs, key, (job) => (canonicalJson(job.status) === canonicalJson(status) ? null : { ...job, status })),
    ),
  )
  await Promise.all(
    plan.pods.map(async ({ job: key, pod }) => {
      const job = cluster.jobs.get(key)
      if (job === undefined) return
      await cluster.create(cluster.pods, { ...pod, metadata: { ...pod.metadata, ownerReferences: [controllerReference(job)] } }, uidOf(pod))
    }),
  )
  await Promise.all(plan.gone.pods.map((pod) => cluster.erase(cluster.pods, pod)))
  await Promise.all(plan.gone.jobs.map((job) => cluster.remove(cluster.jobs, job)))
}
