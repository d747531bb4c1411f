/**
 * Services on two gateways with real engines: names, readiness, a rolling update under load, and each other's pods, also with
 * the cloud cut off from both.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import { buildOnce } from './build-once.ts'
import { writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { findProgram, runOk } from './private-dockerd-sweep.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? (findProgram('getent') === null ? 'not installed: getent' : null)
if (why !== null) console.warn(`services: not run: ${why}`)

/** busybox for the work, and the C library's own way of looking up names: what ordinary programs use. */
async function importTools(gateway: Gateway, reference: string): Promise<void> {
  const root = path.join(gateway.engine.dir, 'tools-root')
  const archive = path.join(gateway.engine.dir, 'tools.tar')
  for (const folder of ['bin', 'tmp', 'etc']) mkdirSync(path.join(root, folder), { recursive: true })
  await runOk('cp', ['-L', findProgram('busybox') ?? '', path.join(root, 'bin/busybox')])
  await runOk('cp', ['-L', findProgram('getent') ?? '', path.join(root, 'bin/getent')])
  for (const name of ['sh', 'sleep', 'httpd', 'cat', 'rm', 'touch', 'nc', 'awk']) await runOk('ln', ['-sf', 'busybox', path.join(root, 'bin', name)])
  // as images with this library have them: without these it asks the name server first, and takes one address of several
  writeFileSync(path.join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
  writeFileSync(path.join(root, 'etc/host.conf'), 'multi on\n')
  const libraries = (await runOk('ldd', [findProgram('getent') ?? ''])).match(/\/[^ )]+/g) ?? []
  for (const library of libraries) {
    mkdirSync(path.join(root, path.dirname(library)), { recursive: true })
    await runOk('cp', ['-L', library, path.join(root, library)])
  }
  await runOk('tar', ['-C', root, '-cf', archive, '.'])
  await gateway.engine.docker('import', archive, reference)
}

const ANSWER = / (one|two)$/
const SERVE = 'touch /tmp/ready; echo $HOSTNAME $RELEASE > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'

function web(name: string, device: string, release: string, replicas: number): Manifest {
  const container = {
    name: 'main',
    image: 'tools:1',
    command: ['sh', '-c', SERVE],
    env: [{ name: 'RELEASE', value: release }],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1, failureThreshold: 1 },
    lifecycle: { preStop: { exec: { command: ['sleep', '2'] } } },
    resources: { limits: { memory: '32Mi' } },
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { own: name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { own: name, app: 'web' } },
        spec: { terminationGracePeriodSeconds: 3, nodeSelector: { 'kubernetes.io/hostname': device }, containers: [container] },
      },
    },
  }
}

function client(device: string): Manifest {
  const container = { name: 'main', image: 'tools:1', command: ['sleep', '86400'], resources: { limits: { memory: '32Mi' } } }
  // two of them: they share one network, which a container of the agent's own holds
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `client-${device}` },
    spec: {
      terminationGracePeriodSeconds: 0,
      nodeSelector: { 'kubernetes.io/hostname': device },
      containers: [container, { ...container, name: 'side' }],
    },
  }
}

const service = (name: string, spec: object): Manifest => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec })

/** One request by name from inside the client pod of the gateway: what came, or ''. */
async function ask(gateway: Gateway, name: string): Promise<string> {
  const [found] = (await gateway.containers()).filter((one) => /client-gw-\d+-main-/.test(one.name))
  if (found === undefined) return 'no client'
  const script = `a=$(getent ahostsv4 ${name} | awk 'NR==1{print $1}'); printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 $a 80`
  const answer = await gateway.engine.docker('exec', found.id, 'sh', '-c', script).catch(() => '')
  return answer.trim().split('\n').at(-1) ?? ''
}

describe.skipIf(why !== null)('two gateways of one site', () => {
  let bed: Testbed
  let first: Gateway
  let second: Gateway
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 2, images: [], first: 33 })
    const [a, b] = bed.gateways
    if (a === undefined || b === undefined) throw new Error('two gateways were asked for')
    first = a
    second = b
    for (const gateway of bed.gateways) await importTools(gateway, 'tools:1')
    await connect(first, second)
    for (const { name } of bed.gateways) {
      await eventually(`${name} is a node of the site`, async () => {
        await bed.cloud.kubectl('label', 'node', name, 'skerry.dev/site=harbour', '--overwrite')
        return null
      })
    }
  })
  afterAll(async () => bed?.destroy())

  it('answers by all four names, from ready pods only, and loses no request in a rolling update', async () => {
    const services = [
      service('web', { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] }),
      service('second', { selector: { own: 'web-1' }, ports: [{ port: 80, targetPort: 8080 }] }),
      service('direct', { clusterIP: 'None', selector: { own: 'web-1' } }),
    ]
    const file = writeManifest(bed.dir, ...services, web('web-1', first.name, 'one', 2), client(first.name), client(second.name))
    await bed.cloud.kubectl('apply', '-f', file)
    for (const name of ['web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local', 'second', 'second.default.svc.cluster.local'])
      await eventually(`${name} answers`, async () => ((await ask(first, name)).endsWith(' one') ? null : `${name}: ${await ask(first, name)}`))
    await eventually('both pods are asked in turn', async () => {
      const seen = new Set<string>()
      for (let index = 0; index < 8; index += 1) seen.add(await ask(first, 'second'))
      return seen.size === 2 && !seen.has('') ? null : [...seen].join()
    })

    const pods = (await first.containers()).filter((one) => one.name.includes('web-1'))
    await first.engine.docker('exec', pods[0]?.id ?? '', 'rm', '/tmp/ready')
    await eventually('one pod is out', async () => {
      const answers = new Set<string>()
      for (let index = 0; index < 4; index += 1) answers.add(await ask(first, 'second'))
      return answers.size === 1 ? null : [...answers].join()
    })
    await first.engine.docker('exec', pods[0]?.id ?? '', 'touch', '/tmp/ready')
    await eventually('both headless addresses stand', async () => {
      const [found] = (await first.containers()).filter((one) => /client-gw-\d+-main-/.test(one.name))
      const text = await first.engine.docker('exec', found?.id ?? '', 'getent', 'ahostsv4', 'direct')
      const addresses = new Set(text.split('\n').flatMap((line) => /^\S+/.exec(line)?.[0] ?? []))
      return addresses.size === 2 ? null : text
    })

    const failures: string[] = []
    let last = ''
    const update = { done: false }
    const load = (async () => {
      while (!update.done) {
        last = await ask(first, 'second')
        if (!ANSWER.test(last)) failures.push(last)
      }
    })()
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, web('web-1', first.name, 'two', 2)))
    await bed.cloud.kubectl('rollout', 'status', 'deployment/web-1', '--timeout=120s')
    await eventually('the new release alone answers', async () => (last.endsWith(' two') ? null : last))
    update.done = true
    await load
    expect(failures, 'requests that were lost').toEqual([])
  })

  it('reaches pods of the other gateway, also with the cloud cut off from both', async () => {
    await eventually('the second gateway answers from the first one', async () =>
      ANSWER.test(await ask(second, 'web')) ? null : await ask(second, 'web'),
    )
    const foreign = 'skerry-gw-34-somebody-elses'
    await second.engine.docker('network', 'create', foreign)
    const networks = async (): Promise<readonly string[]> =>
      (await second.engine.docker('network', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Name}}')).split('\n').toSorted()
    const before = await networks()
    await Promise.all([first.cut(), second.cut()])
    await second.agent.stop('SIGKILL')
    second.agent.start()
    await eventually('it does so without the cloud, and with a new agent', async () => (ANSWER.test(await ask(second, 'web')) ? null : 'no answer'))
    expect(await networks(), 'the same networks, and the one of others').toEqual(before)
    await Promise.all([first.heal(), second.heal()])
    await bed.cloud.kubectl('delete', 'service', 'web', 'second')
    await eventually('the networks of the Services are gone, and no other', async () => {
      const left = (await networks())
        .flatMap((line) => line.split(' ')[1] ?? [])
        .filter((name) => name.startsWith('skerry-'))
        .toSorted()
      return left.join() === `skerry-gw-34-default,${foreign}` ? null : left.join()
    })
  })
})

/** A cable of their own between two gateways, over which they reach each other's usual addresses. */
async function connect(a: Gateway, b: Gateway): Promise<void> {
  const [one, other] = [a.engine.netns, b.engine.netns]
  await runOk('ip', ['-n', one, 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', other])
  await runOk('ip', ['-n', one, 'addr', 'add', '10.212.1.1/30', 'dev', 'lan0'])
  await runOk('ip', ['-n', other, 'addr', 'add', '10.212.1.2/30', 'dev', 'lan0'])
  for (const netns of [one, other]) await runOk('ip', ['-n', netns, 'link', 'set', 'lan0', 'up'])
  await runOk('ip', ['-n', one, 'route', 'add', `${b.address}/32`, 'via', '10.212.1.2'])
  await runOk('ip', ['-n', other, 'route', 'add', `${a.address}/32`, 'via', '10.212.1.1'])
}
