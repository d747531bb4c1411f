/** A rollout on three gateways with real engines: canary, gate, the rest; and a release that a cut-off device takes back by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import type { Rollout } from '../../cloud/resources/rollout.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`rollout: not run: ${why}`)

/** enough for a release that is good, on a slow machine */
const READY_SECONDS = 25

function web(): Manifest {
  const set = daemonSet('web', 'busybox:1') as unknown as { metadata: object; spec: { template: { metadata: object } } }
  Object.assign(set.metadata, { annotations: { 'skerry.dev/update-strategy': 'InPlace' } })
  Object.assign(set.spec.template.metadata, { annotations: { 'skerry.dev/ready-deadline': String(READY_SECONDS) } })
  return set as unknown as Manifest
}

function rollout(name: string, spec: Readonly<Record<string, unknown>>): Manifest {
  return { apiVersion: 'skerry.dev/v1', kind: 'Rollout', metadata: { name }, spec }
}

describe.skipIf(why !== null)('a rollout on three gateways', () => {
  let bed: Testbed
  const gateway = (index: number): Gateway => {
    const found = bed.gateways[index]
    if (found === undefined) throw new Error(`no gateway ${index}`)
    return found
  }
  const status = async (name: string): Promise<NonNullable<Rollout['status']>> =>
    (JSON.parse(await bed.cloud.kubectl('get', 'rollout', name, '-o', 'json')) as Rollout).status ?? {}
  const images = async (): Promise<readonly string[]> =>
    (await Promise.all(bed.gateways.map((one) => one.containers()))).map((list) =>
      list.map(({ image, running }) => (running ? image : `${image} (stopped)`)).join(),
    )
  const uids = (): Promise<string> => bed.cloud.kubectl('get', 'pods', '-o', 'jsonpath={range .items[*]}{.spec.nodeName}={.metadata.uid} {end}')

  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 3, images: ['busybox:1', 'busybox:2', 'busybox:3'], first: 61 })
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, web()))
    await eventually(
      'all run busybox:1',
      async () => ((await images()).every((one) => one === 'busybox:1') ? null : JSON.stringify(await images())),
      120_000,
    )
  })
  afterAll(async () => bed?.destroy())

  it('changes the canary, waits for its gate through a kill -9 of the cloud, then changes the rest', async () => {
    const before = await uids()
    // a device takes a revision for healthy after ten seconds: only then it returns to it
    const metrics = [
      { reading: 'podMemory', min: '1Ki', max: '200Mi', forSeconds: 10 },
      { reading: 'podRestarts', max: 0, forSeconds: 10 },
    ]
    const waves = [{ count: 1, gate: { soakSeconds: 4, metrics } }, {}]
    const spec = { release: [{ daemonSet: 'web', images: { main: 'busybox:2' } }], waves, gate: { soakSeconds: 11 } }
    const file = writeManifest(bed.dir, rollout('web-2', spec))
    const plan = await bed.cloud.skerry('plan', '-f', file)
    expect(plan).toContain('spec.containers[main].image: busybox:1 -> busybox:2')
    await bed.cloud.kubectl('apply', '-f', file)
    await eventually('the canary runs busybox:2', async () => {
      const [canary, ...others] = await images()
      expect(others, 'nobody before the gate').toEqual(['busybox:1', 'busybox:1'])
      return canary === 'busybox:2' ? null : String(canary)
    })
    await bed.cloud.child.stop('SIGKILL')
    bed.cloud.child.start()
    await bed.cloud.ready()
    await eventually(
      'it is complete',
      async () => ((await status('web-2')).phase === 'Completed' ? null : JSON.stringify(await status('web-2'))),
      200_000,
    )
    expect(await images()).toEqual(['busybox:2', 'busybox:2', 'busybox:2'])
    expect(await uids(), 'in place: the same pods').toBe(before)
    const end = await status('web-2')
    expect(end.waves?.[0]?.gate?.metrics, 'what the canary showed, measured by a cloud that had to begin anew').toMatchObject([
      { says: 'podMemory at least 1Ki and at most 200Mi', state: 'Passed', base: 1, within: 1, unknown: 0 },
      { says: 'podRestarts at most 0', state: 'Passed', within: 1, value: '0' },
    ])
    expect(end.decisions?.find(({ action }) => action === 'gate-passed')?.cause?.code).toBe('rollout.gate.measured')
    expect(end.counts).toMatchObject({ members: 3, done: 3 })
    expect(end.decisions?.map(({ action, wave = 0 }) => `${action} ${wave}`)).toEqual([
      'created 0',
      'released 1',
      'gate-passed 1',
      'released 2',
      'completed 0',
    ])
    expect(await bed.cloud.kubectl('get', 'ds', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('busybox:2')
    expect(await bed.cloud.kubectl('get', 'rollouts')).toMatch(/web-2 +Completed +2\/2 +3\/3 +0 +0/)
  })

  it('tells rightly what a device did while it was cut off: it took a bad release back by itself', async () => {
    const [canary] = [gateway(2)]
    const never = { spec: { containers: [{ name: 'main', image: 'busybox:3', readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 } }] } }
    const spec = {
      release: [{ daemonSet: 'web', templatePatch: never }],
      waves: [{ names: [canary.name] }, {}],
      silence: { afterSeconds: 5 },
      gate: { soakSeconds: 5 },
    }
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, rollout('web-3', spec)))
    await eventually('the canary tries busybox:3', async () =>
      (await images())[2]?.includes('busybox:3') === true ? null : JSON.stringify(await images()),
    )
    await canary.cut()
    await eventually(
      'cut off, it is back on busybox:2',
      async () => ((await images())[2] === 'busybox:2' ? null : JSON.stringify(await images())),
      180_000,
    )
    expect((await status('web-3')).releasedWave, 'silence lets nobody follow').toBe(1)
    expect((await images()).slice(0, 2)).toEqual(['busybox:2', 'busybox:2'])
    await canary.heal()
    await eventually(
      'the verdict is right',
      async () => {
        const { counts, phase } = await status('web-3')
        return counts?.rolledBackByDevice === 1 && phase === 'Paused' ? null : JSON.stringify({ counts, phase })
      },
      120_000,
    )
    const told = await bed.cloud.skerry('rollout', 'show', 'web-3')
    expect(told).toContain('1 x The device went back to its last healthy revision')
    await bed.cloud.skerry('rollout', 'abort', 'web-3', '--reason', 'bad release')
    await eventually(
      'it is aborted',
      async () => ((await status('web-3')).phase === 'Aborted' ? null : JSON.stringify(await status('web-3'))),
      60_000,
    )
    expect(await images()).toEqual(['busybox:2', 'busybox:2', 'busybox:2'])
    const { decisions, counts } = await status('web-3')
    expect(counts).toMatchObject({ members: 3, returned: 1, skipped: 2 })
    expect(decisions?.find(({ action }) => action === 'aborted')).toMatchObject({ by: 'admin', reason: 'bad release' })
  })
})
