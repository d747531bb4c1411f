/** Jobs on a gateway with a real engine: one that ends well and one that does not. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`job: not run: ${why}`)

function job(name: string, command: string): string {
  return `apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "busybox:1", imagePullPolicy: Never, command: [sh, -c, "${command}"]}]
`
}

describe.skipIf(why !== null)('Jobs on a gateway', () => {
  let bed: Testbed
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: 91 })
  })
  afterAll(async () => bed?.destroy())

  it('run once, end, keep their logs, and go with their containers', async () => {
    const file = path.join(bed.dir, 'jobs.yaml')
    writeFileSync(file, [job('good', 'echo done'), job('bad', 'exit 3')].join('---\n'))
    await bed.cloud.kubectl('apply', '-f', file)
    await bed.cloud.kubectl('wait', '--for=condition=complete', 'job/good', '--timeout=60s')
    await bed.cloud.kubectl('wait', '--for=condition=failed', 'job/bad', '--timeout=60s')
    const cells = '-o=jsonpath={.status.succeeded} {.status.failed} {.status.conditions[-1:].reason}'
    expect(await bed.cloud.kubectl('get', 'job', 'good', cells)).toBe('1 0 CompletionsReached')
    expect(await bed.cloud.kubectl('get', 'job', 'bad', cells)).toBe('0 1 BackoffLimitExceeded')
    expect(await bed.cloud.kubectl('logs', 'job/good')).toBe('done\n')
    const [gateway] = bed.gateways
    expect((await gateway?.containers())?.map((container) => container.running)).toEqual([false, false])
    await bed.cloud.kubectl('delete', '-f', file)
    await eventually('no container is left', async () => {
      const left = (await gateway?.containers()) ?? []
      return left.length === 0 ? null : `${left.length} containers`
    })
  })
})
