/** logs, exec, cp, port-forward and attach with a real kubectl, cloud, agent and engine, and what is left of them when the cable is cut. */
import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../scripts/quickstart/free-port.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`live verbs: not run: ${why}`)

const PROGRAM =
  'for a in tar sha256sum tty; do ln -sf busybox /bin/$a; done; mkdir -p /www; echo hello-from-pod > /www/index.html; httpd -p 8080 -h /www; ' +
  'i=0; while true; do echo line $i; i=$((i+1)); sleep 1; done'
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'solo', labels: { app: 'solo' } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'busybox:1', command: ['sh', '-c', PROGRAM] }] },
}

/** Kept by the device itself: its pods exist there first, and here only because it says so. */
const NIGHTLY = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly', annotations: { 'skerry.dev/run-on': 'device' } },
  spec: {
    schedule: '* * * * *',
    concurrencyPolicy: 'Forbid',
    jobTemplate: {
      spec: {
        template: {
          metadata: { labels: { app: 'nightly' } },
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 0,
            containers: [{ name: 'main', image: 'busybox:1', command: ['sh', '-c', 'echo the run begins; sleep 25; echo the run ends'] }],
          },
        },
      },
    },
  },
}

interface Told {
  readonly pod: string
  readonly lines?: readonly string[]
  readonly says?: string
  readonly failed?: boolean
}

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

describe.skipIf(why !== null)(
  'live verbs',
  () => {
    let bed: Testbed
    const running = new Set<ChildProcess>()

    /** kubectl, with its exit code: failures are what some tests want to see */
    const start = (...args: readonly string[]): { readonly child: ChildProcess; readonly output: () => string; readonly done: Promise<Ran> } => {
      const child = spawn('kubectl', args, { env: { ...process.env, HOME: bed.dir, KUBECONFIG: bed.cloud.kubeconfig }, cwd: bed.dir })
      running.add(child)
      let out = ''
      let err = ''
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
      const done = new Promise<Ran>((resolve) => {
        child.once('close', (code) => {
          running.delete(child)
          resolve({ code, out, err })
        })
      })
      return { child, output: () => out, done }
    }
    const run = (...args: readonly string[]): Promise<Ran> => start(...args).done

    beforeAll(async () => {
      await buildOnce()
      bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: 65 })
      const file = path.join(bed.dir, 'pod.json')
      writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [POD, NIGHTLY] }))
      await bed.cloud.kubectl('apply', '-f', file)
      await eventually('the pod runs', async () => ((await bed.cloud.kubectl('get', 'pod', 'solo')).includes('Running') ? null : 'not yet'))
      await eventually('it says something', async () => ((await run('logs', 'solo')).out.includes('line 1') ? null : 'no lines'))
    })
    afterAll(async () => {
      for (const child of running) child.kill('SIGKILL')
      await bed?.destroy()
    })

    it('shows logs: the last lines, by label, and new ones as they come', async () => {
      expect((await run('logs', 'solo', '--tail=1')).out).toMatch(/^line \d+\n$/)
      expect((await run('logs', '-l', 'app=solo', '--tail=2', '--timestamps')).out).toMatch(/^(\d{4}-\S+Z line \d+\n){2}$/)
      const follow = start('logs', '-f', 'solo', '--tail=1')
      await eventually('three more lines were seen', async () => (follow.output().split('\n').length > 3 ? null : `seen: ${follow.output()}`))
      follow.child.kill()
      await follow.done
      const before = await run('logs', 'solo', '--previous')
      expect([before.code, before.err]).toEqual([1, expect.stringContaining('previous terminated container not found')])
      // what was refused is not the answer to another question
      expect((await run('logs', 'solo', '--tail=1')).code).toBe(0)
    })

    it('runs programs: output, input, exit code, and the words of the engine when it cannot', async () => {
      expect(await run('exec', 'solo', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toMatchObject({ code: 7, out: 'out\n' })
      const cat = start('exec', '-i', 'solo', '--', 'cat')
      cat.child.stdin?.end('from here')
      expect(await cat.done).toMatchObject({ code: 0, out: 'from here' })
      expect(await run('exec', 'solo', '-c', 'other', '--', 'true')).toMatchObject({
        code: 1,
        err: expect.stringContaining('container other is not valid') as string,
      })
      expect((await run('exec', 'solo', '--', 'no-such-program')).code).not.toBe(0)
    })

    it('copies 5 MB both ways', async () => {
      const bytes = randomBytes(5 * 1024 * 1024)
      const sum = createHash('sha256').update(bytes).digest('hex')
      writeFileSync(path.join(bed.dir, 'there.bin'), bytes)
      expect(await run('cp', 'there.bin', 'solo:/tmp/there.bin')).toMatchObject({ code: 0 })
      expect((await run('exec', 'solo', '--', 'sha256sum', '/tmp/there.bin')).out).toContain(sum)
      expect(await run('cp', 'solo:/tmp/there.bin', 'back.bin')).toMatchObject({ code: 0 })
      expect(
        createHash('sha256')
          .update(readFileSync(path.join(bed.dir, 'back.bin')))
          .digest('hex'),
      ).toBe(sum)
    })

    it('forwards ports, several connections at once', async () => {
      const port = await freePort(0)
      const forward = start('port-forward', 'pod/solo', `${port}:8080`)
      await eventually('it listens', async () => (forward.output().includes('Forwarding from') ? null : `it says: ${forward.output()}`))
      const answers = await Promise.all(Array.from({ length: 6 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()))
      expect(answers).toEqual(Array.from({ length: 6 }, () => 'hello-from-pod\n'))
      forward.child.kill()
      await forward.done
    })

    it('attaches', async () => {
      const attached = start('attach', 'solo')
      await eventually('its output is seen', async () => (/line \d+\n/.test(attached.output()) ? null : 'nothing'))
      attached.child.kill()
      await attached.done
    })

    it('leaves a trace: Events of the pod, the logs of both sides, the list on the device while it is open', async () => {
      const open = start('exec', '-i', 'solo', '--', 'cat')
      await eventually('the device lists it', async () => {
        const { open: seen } = await sessionsOf(bed)
        return seen.some(({ what, who }) => what === 'exec' && who === 'admin') ? null : JSON.stringify(seen)
      })
      // it lists it before its own call to the cloud has arrived
      open.child.stdin?.write('here')
      await eventually('it answers', async () => (open.output() === 'here' ? null : 'not yet'))
      open.child.kill()
      await open.done
      await eventually('the list is empty again', async () => ((await sessionsOf(bed)).open.length === 0 ? null : 'still there'))
      await eventually('Events tell of it', async () => {
        const events = await bed.cloud.kubectl('get', 'events', '-o', 'jsonpath={.items[*].message}')
        return /admin: exec \(cat\) in container main on gw-65 ended after/.test(events) ? null : events
      })
      expect(bed.gateways[0]?.agent.tail(200)).toContain('live session opened')
      expect(bed.cloud.child.tail(400)).toContain('live session ended')
    })

    it('shows logs of a run that the device began by itself, runs programs in it, and shows its logs when it is over', async () => {
      let pod = ''
      await eventually(
        'a program runs in a run that is under way',
        async () => {
          const running = await bed.cloud.kubectl('get', 'pods', '-l', 'app=nightly', '--field-selector=status.phase=Running', '-o', 'name')
          pod = running.trim().split('\n').at(-1) ?? ''
          if (pod === '') return 'none is'
          const [{ code, out }, logs] = await Promise.all([run('exec', pod, '--', 'echo', 'from within'), run('logs', pod)])
          return code === 0 && out === 'from within\n' && logs.out === 'the run begins\n' ? null : `${out} ${logs.out}`
        },
        200_000,
      )
      await eventually('it has ended', async () => {
        const phase = await bed.cloud.kubectl('get', pod, '-o', 'jsonpath={.status.phase}')
        return phase === 'Succeeded' ? null : phase
      })
      expect((await run('logs', pod)).out).toBe('the run begins\nthe run ends\n')
      const refused = await run('exec', pod, '--', 'true')
      expect(refused.code).not.toBe(0)
      expect(await run('get', 'jobs', '-o', 'jsonpath={.items[*].metadata.ownerReferences[0].name}')).toMatchObject({
        out: expect.stringContaining('nightly') as string,
      })
      await bed.cloud.kubectl('delete', 'cronjob', 'nightly')
      await eventually('its runs are gone', async () => {
        const left = ((await bed.gateways[0]?.containers()) ?? []).filter(({ name }) => name.includes('-nightly-'))
        return left.length === 0 ? null : JSON.stringify(left)
      })
    })

    it('gives its diagnostics, and starts its agent anew where a service would, with a trace and without touching the pod', async () => {
      const [gateway] = bed.gateways
      if (gateway === undefined) throw new Error('one gateway was asked for')
      const act = (what: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${bed.cloud.ports.http}/skerry/v1/devices/${gateway.name}/${what}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${bed.cloud.token()}`, 'content-type': 'application/json' },
          body: JSON.stringify({ reason: 'it is slow' }),
        })
      const got = await act('bundle')
      expect([got.status, got.headers.get('content-type')]).toEqual([200, 'application/gzip'])
      const bundle = JSON.parse(gunzipSync(Buffer.from(await got.arrayBuffer())).toString()) as { readonly device: string; readonly logs: unknown }
      expect(bundle.device).toBe(gateway.name)
      expect(JSON.stringify(bundle.logs)).toMatch(/line \d/)
      const log = await fetch(`http://127.0.0.1:${bed.cloud.ports.http}/skerry/v1/logs?pod=default/solo&pod=default/none&tailLines=2`, {
        headers: { authorization: `Bearer ${bed.cloud.token()}` },
      })
      const told = (await log.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Told)
      expect(told.flatMap(({ pod, lines = [] }) => lines.map((line) => `${pod} ${line.replace(/\d+/, 'N')}`))).toEqual([
        'default/solo line N',
        'default/solo line N',
      ])
      expect(told.find(({ pod }) => pod === 'default/none')).toMatchObject({ failed: true, says: expect.stringContaining('not found') as string })
      const file = path.join(bed.dir, 'bundle.json.gz')
      await bed.cloud.skerry('device', 'bundle', gateway.name, '-o', file)
      expect(JSON.parse(gunzipSync(readFileSync(file)).toString())).toMatchObject({ device: gateway.name })
      await expect(bed.cloud.skerry('device', 'bundle', 'nobody', '-o', file)).rejects.toThrow('there is no device nobody')
      // started by hand: it would not come back
      const refused = await act('restart-agent')
      expect([refused.status, ((await refused.json()) as { readonly message: string }).message]).toEqual([
        409,
        expect.stringContaining('started by hand'),
      ])
      expect(gateway.agent.running).toBe(true)

      const containers = await gateway.engine.docker('ps', '-q', '--no-trunc')
      await gateway.agent.stop()
      gateway.agent.start({ SKERRY_SUPERVISED: '1' })
      await eventually('it does as it is asked', async () => {
        const said = await bed.cloud.skerry('device', 'restart-agent', gateway.name, '--reason', 'it is slow')
        return said.includes('workloads keep running') ? null : said
      })
      await eventually('its agent has ended', async () => (gateway.agent.running ? 'it runs' : null))
      gateway.agent.start()
      await eventually('it answers again', async () => ((await run('exec', 'solo', '--', 'true')).code === 0 ? null : 'not yet'))
      expect(await gateway.engine.docker('ps', '-q', '--no-trunc')).toBe(containers)
      await eventually('nothing is open', async () => ((await sessionsOf(bed)).open.length === 0 ? null : 'still there'))
      const events = await bed.cloud.kubectl('get', 'events', '--field-selector', 'involvedObject.kind=Node', '-o', 'jsonpath={.items[*].message}')
      expect(events).toContain(`admin: restart-agent on ${gateway.name}`)
    })

    it('ends sessions when the cable is cut, and says why nothing opens', async () => {
      const [gateway] = bed.gateways
      if (gateway === undefined) throw new Error('one gateway was asked for')
      // what it says has come the whole way: the device lists a session before its own call to the cloud has arrived
      const long = start('exec', 'solo', '--', 'sh', '-c', 'echo open; sleep 600')
      await eventually('it is open', async () => (long.output() === 'open\n' ? null : 'not open'))
      await gateway.cut()
      const [ended, refused] = await Promise.all([long.done, run('exec', 'solo', '--', 'true')])
      expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('link.down') as string })
      expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/session\.no-answer|node\.silent/) as string })
      await gateway.heal()
      await eventually('it works again', async () => ((await run('exec', 'solo', '--', 'true')).code === 0 ? null : 'not yet'), 200_000)
    })
  },
  400_000,
)

/** What the device says itself: its page listens inside its own network. */
async function sessionsOf(bed: Testbed): Promise<{ readonly open: readonly { readonly what: string; readonly who: string }[] }> {
  const [gateway] = bed.gateways
  const child = spawn('nsenter', [
    `--net=/var/run/netns/${gateway?.engine.netns ?? ''}`,
    'busybox',
    'wget',
    '-qO-',
    'http://127.0.0.1:8090/api/v1/state',
  ])
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await new Promise((resolve) => child.once('close', resolve))
  const { sessions } = JSON.parse(text) as { readonly sessions: readonly { readonly what: string; readonly who: string }[] }
  return { open: sessions }
}
