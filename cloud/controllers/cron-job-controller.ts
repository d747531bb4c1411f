/** CronJobs: makes the Job of each run that is due, and removes the oldest ones. */
import { jobOfRun, planCronJob } from '../core/cron-job.ts'
import type { CronJobPlan } from '../core/cron-job.ts'
import { controllerOf, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import type { CronJob } from '../resources/cron-job.ts'
import { isoSeconds } from './cluster.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export function startCronJobController(deps: ControllerDeps): Controller {
  const { cluster, clock, events } = deps
  const controller = runController(deps, 'cron-job', async (key) => {
    const cron = cluster.cronJobs.get(key)
    if (cron === undefined || cluster.isClosing(namespaceOf(cron))) return null
    const plan = (of: CronJob): CronJobPlan => planCronJob(of, cluster.jobs.by('owner', uidOf(of)), clock.nowMs())
    const { dueMs, held, remove } = plan(cron)
    const say = (reason: string, message: string): void =>
      events.record({ about: cron, type: 'Normal', reason, message, component: 'cronjob-controller' })
    if (held) say('JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid')
    await Promise.all(remove.map((job) => cluster.remove(cluster.jobs, job)))
    for (const job of remove) say('SuccessfulDelete', `Deleted job ${nameOf(job)}`)
    const dueIso = dueMs === null ? null : isoSeconds(dueMs)
    if (dueIso !== null) {
      const made = await cluster.create(cluster.jobs, jobOfRun(cron, dueIso))
      // the name was taken: this run was made before, and only its time was not written down
      if (made !== null) say('SuccessfulCreate', `Created job ${nameOf(made)}`)
    }
    const now = await cluster.change(cluster.cronJobs, key, (current) =>
      uidOf(current) === uidOf(cron)
        ? { ...current, status: { ...plan(current).status, ...(dueIso === null ? {} : { lastScheduleTime: dueIso }) } }
        : null,
    )
    return now === null ? null : plan(now).recheckInMs
  })
  cluster.cronJobs.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  cluster.jobs.onChange((next, previous) => {
    const job = next ?? previous
    const owner = job === null ? null : controllerOf(job)
    if (job !== null && owner?.kind === 'CronJob') controller.queue.add(`${namespaceOf(job)}/${owner.name}`)
  })
  return controller
}
