/** Jobs: makes pods until enough ended well, counts each once, and removes ended Jobs after their time to live. */
import { isDeviceRun } from '../core/device-runs.ts'
import { endedAtMs, planJob } from '../core/job.ts'
import type { JobPlan } from '../core/job.ts'
import { controllerOf, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { podFromTemplate } from '../core/pod-template.ts'
import type { Job } from '../resources/job.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

const SUFFIX_LENGTH = 5
/** Pods made in one go; more wait for the next round so that one large Job does not hold up the others. */
const BURST = 250

export function startJobController(deps: ControllerDeps): Controller {
  const { cluster, clock, events, random } = deps
  const controller = runController(deps, 'job', async (key) => {
    const first = cluster.jobs.get(key)
    // what a device decided and does is only shown here
    if (first === undefined || isDeviceRun(first) || cluster.isClosing(namespaceOf(first))) return null
    const plan = (job: Job): JobPlan => planJob(job, cluster.pods.by('owner', uidOf(job)), clock.nowMs(), cluster.nowIso())
    const writeStatus = (): Promise<Job | null> =>
      cluster.change(cluster.jobs, key, (current) => (uidOf(current) === uidOf(first) ? { ...current, status: plan(current).status } : null))
    // counted before anything is made: what ended is remembered even if this process ends now
    const job = await writeStatus()
    if (job === null || uidOf(job) !== uidOf(first)) return null
    tellEnd(deps, first, job)
    const { create, remove, expired } = plan(job)
    if (expired) {
      await cluster.remove(cluster.jobs, job)
      return null
    }
    const say = (reason: string, message: string): void => events.record({ about: job, type: 'Normal', reason, message, component: 'job-controller' })
    const fresh = Array.from({ length: Math.min(BURST, create) }, () =>
      podFromTemplate(job, job.spec.template, { suffix: random.suffix(SUFFIX_LENGTH) }),
    )
    const made = await Promise.all(fresh.map((pod) => cluster.create(cluster.pods, pod)))
    for (const pod of made) if (pod !== null) say('SuccessfulCreate', `Created pod: ${nameOf(pod)}`)
    await Promise.all(remove.map((pod) => cluster.remove(cluster.pods, pod)))
    for (const pod of remove) say('SuccessfulDelete', `Deleted pod: ${nameOf(pod)}`)
    if (create > BURST || made.includes(null)) controller.queue.add(key)
    const now = await writeStatus()
    if (now !== null) tellEnd(deps, job, now)
    return now === null ? null : plan(now).recheckInMs
  })
  cluster.jobs.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    const owner = pod === null ? null : controllerOf(pod)
    if (pod !== null && owner?.kind === 'Job') controller.queue.add(`${namespaceOf(pod)}/${owner.name}`)
  })
  return controller
}

function tellEnd({ events }: ControllerDeps, before: Job, after: Job): void {
  if (endedAtMs(before.status) !== null || endedAtMs(after.status) === null) return
  const failure = after.status?.conditions?.find((one) => one.type === 'Failed' && one.status === 'True')
  const about = { about: after, component: 'job-controller' } as const
  if (failure === undefined) events.record({ ...about, type: 'Normal', reason: 'Completed', message: 'Job completed' })
  else events.record({ ...about, type: 'Warning', reason: failure.reason ?? 'Failed', message: failure.message ?? '' })
}
