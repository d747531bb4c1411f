/** The built cloud with a scheduler configuration of one's own: a second profile, and a plugin that is a file beside it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../cloud/resources/pod.ts'
import { createCloud } from '../../scripts/testbed/cloud-process.ts'
import type { CloudProcess } from '../../scripts/testbed/cloud-process.ts'
import { buildOnce } from './build-once.ts'

/** Takes only the device that its argument names, and says so. */
const PLUGIN = `
export const plugin = {
  name: 'OnlyOn',
  create: ({ device }) => ({
    ok: true,
    parts: {
      filter: {
        name: 'OnlyOn',
        filter: (pod, node) => (node.name === device ? [] : [{ code: 'placement.node.other', facts: { needs: device } }]),
      },
    },
  }),
}
`

const CONFIG = {
  apiVersion: 'skerry.dev/v1',
  kind: 'SchedulerConfiguration',
  pluginFiles: ['only-on.mjs'],
  profiles: [
    {
      schedulerName: 'lab',
      // the devices of this test are objects only: no rule asks whether they answer
      plugins: { enabled: [{ name: 'OnlyOn' }], disabled: [{ name: '*' }] },
      pluginConfig: [{ name: 'OnlyOn', args: { device: 'gw-2' } }],
    },
  ],
}

describe('--scheduler-config', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-scheduler-config-'))
  let cloud: CloudProcess

  beforeAll(async () => {
    await buildOnce()
    writeFileSync(path.join(dir, 'only-on.mjs'), PLUGIN)
    writeFileSync(path.join(dir, 'scheduler.json'), JSON.stringify(CONFIG))
    cloud = await createCloud(dir, null, [], { SKERRY_SCHEDULER_CONFIG: path.join(dir, 'scheduler.json') })
    cloud.child.start()
    await cloud.ready()
    for (const name of ['gw-1', 'gw-2', 'gw-3']) await create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } })
  })
  afterAll(async () => {
    await cloud.child.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const ask = (pathname: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${cloud.ports.http}${pathname}`, {
      ...init,
      headers: { authorization: `Bearer ${cloud.token()}`, 'content-type': 'application/json' },
    })

  async function create(pathname: string, object: unknown): Promise<void> {
    const answer = await ask(pathname, { method: 'POST', body: JSON.stringify(object) })
    expect(answer.status, await answer.text()).toBe(201)
  }

  /** A pod of this scheduler, once it is placed or was told why not. */
  async function decided(name: string, schedulerName: string): Promise<Pod> {
    const spec = { schedulerName, containers: [{ name: 'main', image: 'x' }] }
    await create('/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
    return expect
      .poll(async () => (await ask(`/api/v1/namespaces/default/pods/${name}`)).json() as Promise<Pod>, { timeout: 60_000 })
      .toMatchObject({ status: { conditions: expect.arrayContaining([expect.objectContaining({ type: 'PodScheduled' })]) } })
      .then(async () => (await ask(`/api/v1/namespaces/default/pods/${name}`)).json() as Promise<Pod>)
  }

  it('has the pods of a profile placed by its own plugin', async () => {
    expect((await decided('here', 'lab')).spec.nodeName).toBe('gw-2')
  })

  it('leaves all other pods to the usual profile, and tells a pod that names no known one', async () => {
    const usual = await decided('usual', 'default-scheduler')
    expect([usual.spec.nodeName, usual.status?.conditions?.[0]?.message]).toEqual([undefined, expect.stringContaining('0 of 3 devices')])
    const unknown = await decided('unknown', 'nobody')
    expect([unknown.spec.nodeName, unknown.status?.conditions?.[0]?.message]).toEqual([undefined, expect.stringContaining('default-scheduler, lab')])
  })
})
