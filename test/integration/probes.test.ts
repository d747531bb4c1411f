/** Probes and hooks on a real engine, as kubectl sees them: gates, restarts, delays, and what is said in which order at a stop. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import { writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`probes: not run: ${why}`)

const sh = (script: string): Readonly<Record<string, unknown>> => ({ image: 'busybox:1', command: ['sh', '-c', script] })
/** the engine may take its time to begin a program: that is not what is tried here */
const PATIENT = { periodSeconds: 1, timeoutSeconds: 30 }
const file = (path: string): Readonly<Record<string, unknown>> => ({ exec: { command: ['cat', path] }, ...PATIENT })
const exec = (script: string): Readonly<Record<string, unknown>> => ({ exec: { command: ['sh', '-c', script] } })

function podSpec(container: Readonly<Record<string, unknown>>, grace = 0): Readonly<Record<string, unknown>> {
  return { terminationGracePeriodSeconds: grace, containers: [{ name: 'main', ...container }] }
}
function pod(name: string, container: Readonly<Record<string, unknown>>, grace = 0): Manifest {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(container, grace) }
}
function web(image: string, script: string): Manifest {
  const spec = podSpec({ ...sh(script), image, readinessProbe: file('/ready') })
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: { app: 'web' } }, spec },
    },
  }
}

describe.skipIf(why !== null)('probes on a gateway', () => {
  let bed: Testbed
  let gateway: Gateway
  const get = (what: string, path: string): Promise<string> => bed.cloud.kubectl('get', ...what.split(' '), '-o', `jsonpath=${path}`)
  const becomes = (text: string, what: string, path: string, value: string | RegExp): Promise<void> =>
    eventually(text, async () => {
      const seen = await get(what, path)
      return (typeof value === 'string' ? seen === value : value.test(seen)) ? null : `${what} ${path} is ${JSON.stringify(seen)}`
    })
  const STATUS = '{.status.containerStatuses[0]'
  /** name of the one container of that pod */
  const container = async (name: string): Promise<string> => {
    const found = (await gateway.containers()).find((one) => one.name.startsWith(`skerry-default-${name}-main-`))
    if (found === undefined) throw new Error(`no container of ${name}`)
    return found.name
  }
  const apply = (...manifests: readonly Manifest[]): Promise<string> => bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, ...manifests))

  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 1, images: ['busybox:1', 'busybox:2'], first: 31 })
    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    gateway = first
  })
  afterAll(async () => bed?.destroy())

  it('readiness holds up a rollout until it is there, and survives the agent', async () => {
    await apply(web('busybox:1', 'echo 1 > /ready; exec sleep 86400'))
    await becomes('the first release is available', 'deploy web', '{.status.availableReplicas}', '1')
    const [old] = await gateway.containers()
    await apply(web('busybox:2', 'exec sleep 86400'))
    await eventually('the second release runs', async () => {
      const others = (await gateway.containers()).filter((one) => one.running && one.id !== old?.id)
      return others.length === 1 ? null : JSON.stringify(others)
    })
    const unready = 'pods --field-selector=status.phase=Running'
    await becomes('one is ready, one is not and says why', unready, '{.items[*].status.containerStatuses[0].ready}', /^(true false|false true)$/)
    expect(await get(unready, '{.items[*].status.conditions[?(@.status=="False")].message}')).toContain('containers with unready status: [main]')
    await eventually('the event names the probe', async () => {
      const said = await get('events --field-selector=reason=Unhealthy', '{.items[*].message}')
      return said.includes('readiness probe') ? null : said
    })

    await gateway.agent.stop('SIGKILL')
    gateway.agent.start()
    await eventually('the next agent keeps both as they are', async () => {
      const log = await get('nodes', '{.items[*].status.conditions[?(@.type=="Ready")].status}')
      const ready = await get(unready, '{.items[*].status.containerStatuses[0].ready}')
      return log === 'True' && /^(true false|false true)$/.test(ready) ? null : `${log}: ${ready}`
    })
    expect((await gateway.containers()).find((one) => one.id === old?.id)).toEqual(old)

    const second = (await gateway.containers()).find((one) => one.id !== old?.id)
    await gateway.engine.docker('exec', second?.id ?? '', 'sh', '-c', 'echo 1 > /ready')
    await bed.cloud.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    await eventually('only the second release is left', async () => {
      const left = (await gateway.containers()).map((one) => one.id)
      return left.join(' ') === second?.id ? null : left.join(' ')
    })
  })

  it('liveness restarts with its reason; a startup probe holds it back', async () => {
    const counts = { ...PATIENT, failureThreshold: 1 }
    await apply(
      pod('sick', { ...sh('echo well > /health; exec sleep 86400'), livenessProbe: { ...exec('read how < /health; [ "$how" = well ]'), ...counts } }),
      pod('slow', {
        ...sh('exec sleep 86400'),
        startupProbe: { ...file('/up'), failureThreshold: 600 },
        livenessProbe: { ...file('/up'), failureThreshold: 1 },
      }),
    )
    await becomes('the healthy one is ready', 'pod sick', `${STATUS}.ready}`, 'true')
    await becomes(
      'the slow one runs and has not started',
      'pod slow',
      `${STATUS}.started} ${STATUS}.ready} ${STATUS}.state.running.startedAt}`,
      /^false false 2/,
    )
    await gateway.engine.docker('exec', await container('slow'), 'sh', '-c', 'echo 1 > /up')
    await becomes('the slow one has started', 'pod slow', `${STATUS}.started} ${STATUS}.ready} ${STATUS}.restartCount}`, 'true true 0')

    await gateway.engine.docker('exec', await container('sick'), 'sh', '-c', 'echo sick > /health')
    await becomes('it was restarted once, and is ready again', 'pod sick', `${STATUS}.restartCount} ${STATUS}.ready}`, '1 true')
    const events = 'events --field-selector=involvedObject.name=sick'
    await becomes('an event says why', events, '{.items[*].message}', /The liveness probe of container main failed/)
    expect(await get('pod slow', `${STATUS}.restartCount}`)).toBe('0')
    await bed.cloud.kubectl('delete', 'pod', 'sick', 'slow')
  })

  it('asks over tcp and http', async () => {
    const server = sh('echo hello > /tmp/index.html && exec httpd -f -p 8080 -h /tmp')
    const ports = [{ name: 'web', containerPort: 8080 }]
    await apply(
      pod('good', {
        ...server,
        ports,
        readinessProbe: { httpGet: { port: 'web', path: '/' }, periodSeconds: 1 },
        livenessProbe: { tcpSocket: { port: 8080 } },
      }),
      pod('missing', { ...server, ports, readinessProbe: { httpGet: { port: 'web', path: '/none' }, periodSeconds: 1, failureThreshold: 1 } }),
      pod('closed', { ...server, ports, readinessProbe: { tcpSocket: { port: 9 }, periodSeconds: 1, failureThreshold: 1 } }),
    )
    await becomes('what answers is ready', 'pod good', `${STATUS}.ready}`, 'true')
    await eventually('what does not answer well says how', async () => {
      const said = await get('events --field-selector=reason=Unhealthy', '{.items[*].message}')
      return said.includes('HTTP probe failed with statuscode: 404') && said.includes('ECONNREFUSED') ? null : said
    })
    expect(await get('pods missing closed', '{.items[*].status.containerStatuses[0].ready}')).toBe('false false')
  })

  it('hooks run in their order, and a program gets its grace', async () => {
    const say = (word: string): Readonly<Record<string, unknown>> => exec(`echo ${word} > /proc/1/fd/1`)
    await apply(
      pod(
        'hooks',
        {
          ...sh('trap "echo term; sleep 1; echo bye; exit 0" TERM; echo well > /health; echo begin; while :; do sleep 0.2; done'),
          lifecycle: { postStart: say('post'), preStop: say('pre') },
          livenessProbe: { ...exec('read how < /health; [ "$how" = well ]'), ...PATIENT, failureThreshold: 1 },
        },
        20,
      ),
      pod(
        'deaf',
        {
          ...sh('trap "" TERM; echo well > /health; while :; do sleep 0.2; done'),
          livenessProbe: {
            ...exec('read how < /health; [ "$how" = well ]'),
            ...PATIENT,
            failureThreshold: 1,
            terminationGracePeriodSeconds: 1,
          },
        },
        3_600,
      ),
      pod('hookless', { ...sh('exec sleep 86400'), lifecycle: { postStart: exec('exit 3') } }),
    )
    for (const name of ['hooks', 'deaf']) {
      await becomes(`${name} is ready`, `pod ${name}`, `${STATUS}.ready}`, 'true')
      await gateway.engine.docker('exec', await container(name), 'sh', '-c', 'echo sick > /health')
    }
    for (const name of ['hooks', 'deaf']) await becomes(`${name} was restarted`, `pod ${name}`, `${STATUS}.restartCount} ${STATUS}.ready}`, '1 true')
    const log = await gateway.engine.docker('logs', await container('hooks'))
    expect(log.split('\n').filter((line) => line !== '')).toEqual(['begin', 'post', 'pre', 'term', 'bye', 'begin', 'post'])
    await eventually('a postStart hook that fails restarts its container', async () => {
      const restarts = await get('pod hookless', `${STATUS}.restartCount}`)
      const said = await get('events --field-selector=reason=FailedPostStartHook', '{.items[*].message}')
      return Number(restarts) > 0 && said.includes('ended with code 3') ? null : `${restarts} ${said}`
    })
  })
})
