/**
 * A device whose cloud, registry, clock or neighbours are odd, under a real agent, engine and cloud, over TLS. SKERRY_LONG=1 adds the line that
 * swallows everything, which takes both sides more than a minute to notice.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloudAddressOf } from '../../scripts/testbed/gateway.ts'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { serverCertificate } from '../../cloud/apiserver/certificate.ts'
import { buildOnce } from './build-once.ts'
import { identities, nodeCondition, pageOf, running, whyNoPage } from './gateway-eyes.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { cableOf } from './private-dockerd-sweep.ts'
import { watchProcesses } from './process-watch.ts'
import { whyNoKubectl, whyNoProgram } from './programs.ts'
import { busyboxLayer, startCuttingProxy, startRegistry, whyNoRegistry } from './registry.ts'
import type { CuttingProxy, Registry } from './registry.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? whyNoPage() ?? whyNoRegistry()
if (why !== null) console.warn(`faults of contact: not run: ${why}`)
const whyNoStrace = whyNoProgram('strace', 'strace')
if (whyNoStrace !== null) console.warn(`processes that an agent starts: not run: ${whyNoStrace}`)
const LONG = process.env['SKERRY_LONG'] === '1'
const FALSE_CLOCK = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
const NUMBER = 38
const HERE = cloudAddressOf(NUMBER)
const DAY_MS = 86_400_000

describe.skipIf(why !== null)('a device', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skcontact-'))
  let bed: Testbed
  let gateway: Gateway
  let registry: Registry
  let proxy: CuttingProxy
  beforeAll(async () => {
    await buildOnce()
    const engine = { config: { 'insecure-registries': [`${HERE}/32`] } }
    // the authority is older than whatever it will have signed
    const { caPem } = await serverCertificate(path.join(dir, 'tls'), [HERE], Date.now() - 730 * DAY_MS)
    writeFileSync(shown.ca, caPem)
    await certify(Date.now())
    const cloudFlags = ['--mqtts-cert', shown.cert, '--mqtts-key', shown.key, '--mqtts-ca', shown.ca]
    bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: NUMBER, engine, tls: true, cloudFlags })
    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    gateway = first
    registry = await startRegistry(path.join(dir, 'registry'), { user: 'device', password: 'first-password' })
    proxy = await startCuttingProxy(HERE, registry.port)
    for (const tag of ['1', '2']) await registry.push('web', tag, [busyboxLayer(['sleep', 'sh', `tag-${tag}`])])
    const login = ['--docker-username=device', '--docker-password=first-password']
    await bed.cloud.kubectl('create', 'secret', 'docker-registry', 'pull', `--docker-server=${HERE}:${proxy.port}`, ...login)
    await apply(web('1'), daemonSet('two', 'busybox:1'))
    await runs('two=busybox:1 web=web:1')
  })
  afterAll(async () => {
    await gateway?.agent.stop()
    await proxy?.close()
    await registry?.stop()
    await bed?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  const shown = { cert: path.join(dir, 'broker.crt'), key: path.join(dir, 'broker.key'), ca: path.join(dir, 'broker-ca.crt') }
  /** What the operator's files hold is made at that moment, and good for a year from then. */
  const certify = async (madeAtMs: number): Promise<void> => {
    const { certPem, keyPem } = await serverCertificate(path.join(dir, 'tls'), [HERE], madeAtMs)
    writeFileSync(shown.cert, certPem)
    writeFileSync(shown.key, keyPem)
  }
  const show = async (madeAtMs: number): Promise<void> => {
    await certify(madeAtMs)
    bed.cloud.child.signal('SIGHUP')
  }
  /** of a registry that asks for a password, and by a policy that asks it whenever a container is made */
  const web = (tag: string): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 0,
          imagePullSecrets: [{ name: 'pull' }],
          containers: [{ name: 'main', image: `${HERE}:${proxy.port}/web:${tag}`, imagePullPolicy: 'Always', command: ['/bin/sleep', '86400'] }],
        },
      },
    },
  })
  const apply = (...manifests: readonly Manifest[]): Promise<string> => bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, ...manifests))
  /** `set=image` of what runs, in order */
  const images = async (): Promise<string> =>
    (await gateway.containers())
      .filter((one) => one.running)
      .map(({ name, image }) => `${/-(web|two|new|other)-/.exec(name)?.[1] ?? name}=${image.split('/').at(-1) ?? ''}`)
      .toSorted()
      .join(' ')
  const runs = (wanted: string): Promise<void> =>
    eventually(`it runs ${wanted}`, async () => ((await images()) === wanted ? null : `it runs ${await images()}`), 120_000)
  const ready = (begins: string): Promise<void> =>
    eventually(
      `the cloud says ${begins}`,
      async () => {
        const condition = await nodeCondition(bed, gateway, 'Ready')
        return condition.startsWith(begins) ? null : condition
      },
      150_000,
    )
  const linkSays = (code: string | null, words: RegExp): Promise<void> =>
    eventually(
      `the page says ${String(words)}`,
      async () => {
        const { link } = await pageOf(gateway)
        return (link.cause?.code ?? null) === code && words.test(link.cause?.says ?? link.says) ? null : JSON.stringify(link)
      },
      150_000,
    )
  const one = async (set: string): Promise<{ readonly id: string; readonly name: string }> => {
    const found = (await gateway.containers()).find(({ name }) => name.includes(`-${set}-`))
    if (found === undefined) throw new Error(`nothing of ${set} is there`)
    return found
  }

  it('F8: reboots without a network and makes what is missing from what it has, and asks no registry whose password was changed', async () => {
    const served = proxy.served()
    await gateway.cut()
    await gateway.agent.stop('SIGKILL')
    for (const set of ['web', 'two']) await gateway.engine.docker('rm', '-f', (await one(set)).id)
    await gateway.reboot()
    await runs('two=busybox:1 web=web:1')
    await linkSays('link.down', /No connection to the cloud/)
    registry.setPassword('device', 'second-password')
    await gateway.heal()
    // the broker still holds the session from before the cut: the new one replaces it
    await ready('True')
    await gateway.engine.docker('rm', '-f', (await one('web')).id)
    await runs('two=busybox:1 web=web:1')
    expect(proxy.served(), 'bytes of the registry').toBe(served)
    registry.setPassword('device', 'first-password')
  })

  it('F12: was cut off while its work was deleted, changed and made: one look at the whole brings it there', async () => {
    await gateway.cut()
    await bed.cloud.kubectl('delete', 'daemonset', 'two', '--wait=false')
    await apply(web('2'), daemonSet('new', 'busybox:1'))
    // a cable that is pulled says nothing: the broker finds out by the keepalive
    if (LONG) await ready('Unknown NodeStatusUnknown Not heard since')
    expect(await images()).toBe('two=busybox:1 web=web:1')
    await gateway.heal()
    await runs('new=busybox:1 web=web:2')
    await eventually('nothing else is left', () => running(gateway, 2))
    await ready('True')
  })

  it('F10: whose agent died after it had accepted a target is told of as silent, and takes the newer target alone', async () => {
    const held = (await pageOf(gateway)).desired?.generation ?? 0
    await apply(web('1'))
    await eventually('it was accepted', async () => (((await pageOf(gateway)).desired?.generation ?? 0) > held ? null : 'not yet'))
    await gateway.agent.stop('SIGKILL')
    await ready('Unknown NodeStatusUnknown Not heard since')
    await apply(web('2'))
    gateway.agent.start()
    await ready('True')
    await runs('new=busybox:1 web=web:2')
    await eventually('nothing else is left', () => running(gateway, 2))
    await eventually('the cloud counts it', async () => {
      const counts = await bed.cloud.kubectl('get', 'ds', 'web', '-o', 'jsonpath={.status.updatedNumberScheduled}/{.status.numberReady}')
      return counts === '1/1' ? null : counts
    })
  })

  it('F7: with renamed, doubled and orphaned containers keeps one of each; strangers are named and left alone', async () => {
    const { docker } = gateway.engine
    const labelsOf = async (id: string): Promise<Readonly<Record<string, string>>> =>
      JSON.parse(await docker('inspect', '-f', '{{json .Config.Labels}}', id)) as Readonly<Record<string, string>>
    const copy = (name: string, labels: Readonly<Record<string, string>>): Promise<string> =>
      docker('run', '-d', '--name', name, ...Object.entries(labels).map(([key, value]) => `--label=${key}=${value}`), 'busybox:1', 'sleep', '9999')
    await bed.cloud.kubectl('create', 'namespace', 'other')
    const other = daemonSet('other', 'busybox:1')
    await gateway.agent.stop('SIGKILL')
    const [kept, lost] = [await one('new'), await one('web')]
    const labels = await labelsOf(kept.id)
    await docker('rename', kept.id, 'renamed-by-hand')
    await copy('a-second-copy', labels)
    await copy('an-orphan', { ...labels, 'dev.skerry.pod-uid': 'nobody', 'dev.skerry.pod': 'gone' })
    await docker('rm', '-f', lost.id)
    const stranger = (await docker('run', '-d', '--name', lost.name, 'busybox:1', 'sleep', '9999')).trim()
    const network = (await docker('network', 'create', `skerry-${gateway.name}-other`)).trim()
    gateway.agent.start()
    await apply({ ...other, metadata: { name: 'other', namespace: 'other' } } as Manifest)
    await eventually('page and cloud name the container in the way', async () => {
      const workload = (await pageOf(gateway)).workloads.find(({ name }) => name.startsWith('web'))
      const pods = await bed.cloud.kubectl(
        'get',
        'pods',
        '-l',
        'app=web',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[*].state.waiting.message}',
      )
      return workload?.cause?.says.includes('is already in use') === true && pods.includes('is already in use')
        ? null
        : `${JSON.stringify(workload)} ${pods}`
    })
    await eventually('and the network in the way', async () => {
      const workload = (await pageOf(gateway)).workloads.find(({ name }) => name.startsWith('other'))
      return workload?.cause?.code === 'network.name-taken' ? null : JSON.stringify(workload)
    })
    await eventually('what is in nobody’s way is gone', async () => {
      const left = JSON.stringify((await gateway.containers()).map(({ id, running: is }) => [id, is]))
      return left === JSON.stringify([[kept.id, true]]) ? null : left
    })
    expect((await docker('inspect', '-f', '{{.State.Running}}', stranger)).trim()).toBe('true')
    expect((await docker('network', 'ls', '-q', '--no-trunc')).split('\n')).toContain(network)
    await docker('rm', '-f', stranger)
    await docker('network', 'rm', network)
    await eventually('all three run', () => running(gateway, 3), 120_000)
    expect((await gateway.containers()).map(({ id }) => id)).toContain(kept.id)
    await bed.cloud.kubectl('delete', 'namespace', 'other')
    await eventually('the third goes', () => running(gateway, 2))
    await docker('rm', '-f', kept.id)
    await runs('new=busybox:1 web=web:2')
  })

  it('F5: was off while the certificate of its broker expired: works, says so, and is back by itself when that is renewed', async () => {
    const before = identities(await gateway.containers())
    await gateway.agent.stop()
    await show(Date.now() - 400 * DAY_MS)
    const [gone] = await gateway.containers()
    await gateway.engine.docker('rm', '-f', gone?.id ?? '')
    gateway.agent.start()
    await linkSays('link.certificate', /certificate has expired/)
    await runs('new=busybox:1 web=web:2')
    expect(identities(await gateway.containers())).toContain(before[1])
    await show(Date.now())
    await linkSays(null, /In contact/)
    await ready('True')
  })

  it.skipIf(!existsSync(FALSE_CLOCK))('F5: that lost the time finds the certificate not yet valid, and says to look at the clock', async () => {
    const before = identities(await gateway.containers())
    await gateway.agent.stop()
    // as of the year 1980; monotonic time goes on
    gateway.agent.start({ LD_PRELOAD: FALSE_CLOCK, FAKETIME: '-46y', FAKETIME_DONT_FAKE_MONOTONIC: '1' })
    // one look for all of it: between two tries the page says that it connects
    await eventually(
      'the page says not yet valid, and to look at the clock',
      async () => {
        const { cause } = (await pageOf(gateway)).link
        const told = cause?.code === 'link.certificate' && /not yet valid/.test(cause.says) && cause.next.includes('clock')
        return told ? null : JSON.stringify(cause)
      },
      150_000,
    )
    expect(identities(await gateway.containers())).toEqual(before)
    await gateway.agent.stop()
    gateway.agent.start()
    await ready('True')
    expect(identities(await gateway.containers())).toEqual(before)
  })

  it.skipIf(whyNoStrace !== null)('starts no process, whether it reconciles, takes readings or idles', async () => {
    const { pid } = gateway.agent
    if (pid === null) throw new Error('no agent')
    const watch = await watchProcesses(pid, path.join(dir, 'strace'))
    await bed.cloud.kubectl('annotate', '--overwrite', 'node', gateway.name, 'skerry.dev/telemetry-seconds=10')
    await apply(web('1'), daemonSet('two', 'busybox:1'))
    await runs('new=busybox:1 two=busybox:1 web=web:1')
    await gateway.engine.docker('kill', (await one('new')).id)
    await runs('new=busybox:1 two=busybox:1 web=web:1')
    await bed.cloud.kubectl('delete', 'daemonset', 'two', '--wait=false')
    await eventually('two run', () => running(gateway, 2))
    await sleep(12_000)
    const seen = await watch.end()
    expect(seen.started).toEqual([])
    // the watch sees what a process does: threads begin, and files are asked for by name
    expect(seen.opened).toContain('/proc/meminfo')
    expect(gateway.agent.pid).toBe(pid)
    await apply(web('2'))
    await runs('new=busybox:1 web=web:2')
  })

  it.skipIf(whyNoStrace !== null)('would have been seen to start one', async () => {
    const starter = spawn(process.execPath, ['-e', 'setInterval(() => require("node:child_process").execFileSync("true"), 200)'], { stdio: 'ignore' })
    try {
      await eventually('one is seen', async () => {
        const watch = await watchProcesses(starter.pid ?? 0, path.join(dir, 'strace-of-one'))
        await sleep(1_500)
        return (await watch.end()).started.length > 0 ? null : 'none'
      })
    } finally {
      starter.kill('SIGKILL')
    }
  })

  it.skipIf(!LONG)(
    'F12: on a line that swallows everything: both sides notice, and nothing is touched',
    async () => {
      const before = identities(await gateway.containers())
      const cable = cableOf(gateway.engine.netns)
      const rules = [
        ['INPUT', '-i', cable, '-j', 'DROP'],
        ['OUTPUT', '-o', cable, '-j', 'DROP'],
      ]
      for (const rule of rules) execFileSync('iptables', ['-w', '-I', ...rule])
      try {
        await ready('Unknown NodeStatusUnknown Not heard since')
        await linkSays('link.down', /No connection to the cloud/)
        await sleep(5_000)
      } finally {
        for (const rule of rules) execFileSync('iptables', ['-w', '-D', ...rule])
      }
      await ready('True').catch(() => ready('True'))
      expect(identities(await gateway.containers())).toEqual(before)
    },
    600_000,
  )
})
