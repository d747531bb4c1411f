/** Jobs and CronJobs as real kubectl binaries make, read and wait for them. What controllers would write, the test writes. */
import { describe, it } from 'vitest'
import { call } from '../fakes/api-server.ts'
import { kubectlBinaries, kubectlSuite } from './kubectl-runner.ts'

const POD = `spec: {restartPolicy: Never, containers: [{name: main, image: "work:1"}]}`
const JOB = `apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {completions: 2, template: {${POD}}}
`
const CRON = `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "30 2 * * *", timeZone: Europe/Berlin, jobTemplate: {spec: {template: {${POD}}}}}
`
const DONE = {
  status: {
    succeeded: 2,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:00:07Z',
    conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: '2026-01-01T00:00:07Z' }],
  },
}

const binaries = kubectlBinaries()

describe.skipIf(binaries.length === 0).each(binaries)('%s', (binary) => {
  const { kubectl, ok } = kubectlSuite(binary)

  it('applies a Job, prints it, describes it and waits for it', async () => {
    await ok('apply -f -', /^job.batch\/once created/, JOB)
    await ok('apply -f -', /^job.batch\/once unchanged/, JOB)
    await ok('get jobs', /NAME +STATUS +COMPLETIONS +DURATION +AGE\nonce +Running +0\/2 /)
    const path = '/apis/batch/v1/namespaces/default/jobs/once/status'
    await call(kubectl().server, 'PATCH', path, { body: DONE, type: 'application/merge-patch+json' })
    await ok('wait --for=condition=complete job/once --timeout=20s', /job.batch\/once condition met/)
    await ok('get job once -o wide', /once +Complete +2\/2 +7s .* main +work:1 +batch.kubernetes.io\/controller-uid=/)
    await ok('describe job once', /Completions: +2[\s\S]*Duration: +7s[\s\S]*Pods Statuses: +0 Active.*2 Succeeded \/ 0 Failed/)
    await ok('delete job once', /job.batch "once" deleted/)
  })

  it('applies a CronJob, prints it and suspends it', async () => {
    await ok('apply -f -', /^cronjob.batch\/nightly created/, CRON)
    await ok('patch cj nightly -p {"spec":{"suspend":true}}', /cronjob.batch\/nightly patched/)
    await ok('get cj', /NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\nnightly +30 2 \* \* \* +Europe\/Berlin +True +0 +<none> /)
    await ok('describe cronjob nightly', /Schedule: +30 2 \* \* \*[\s\S]*Concurrency Policy: +Allow[\s\S]*Last Schedule Time: +<unset>/)
  })
})
