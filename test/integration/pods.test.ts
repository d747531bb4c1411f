/** Pods of several parts on a real engine: what their programs can see and do, and what is left when they are gone. */
import type { LocalSettings } from '../../edge-agent/core/pod-model.ts'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { containerHashes, desiredDigest, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredConfig, DesiredPod } from '../../protocol/desired-state.ts'
import { initialState } from '../../edge-agent/core/initial-state.ts'
import type { AgentState } from '../../edge-agent/core/state.ts'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import type { Log } from '../../edge-agent/ports.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { createWatchdog } from '../../edge-agent/runtime/watchdog.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { createVolumes, memoryFolder } from '../../edge-agent/volumes/pod-volumes.ts'
import { FakeProber } from '../fakes/prober.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'

const DEVICE = 'gw-pods'
type Spec = DesiredPod['spec']
type Container = Spec['containers'][number]

const box = (name: string, script: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'busybox:1',
  command: ['/bin/busybox', 'sh', '-c', script],
  ...more,
})
const forever = (name: string, more: Partial<Container> = {}): Container => box(name, 'exec sleep 86400', more)

function pod(name: string, spec: Spec, labels: Readonly<Record<string, string>> = {}): DesiredPod {
  const whole = { terminationGracePeriodSeconds: 0, ...spec }
  const hashes = containerHashes(whole, undefined)
  const uid = `uid-${name}`
  return { uid, namespace: 'plant', name, labels, specHash: podSpecHash(whole, undefined), spec: whole, ...(hashes === undefined ? {} : { hashes }) }
}

const missing = whyNoDockerd()
describe.skipIf(missing !== null)(`pods on a real engine${missing === null ? '' : ` not run: ${missing}`}`, () => {
  let dockerd: PrivateDockerd
  let dir: string
  let local: LocalSettings
  let loop: Loop
  let generation = 0
  let logged: string[]
  let end: () => Promise<void>

  const docker = async (...args: readonly string[]): Promise<string> => (await dockerd.docker(...args)).trim()
  const nameOf = (uid: string, container: string): string =>
    loop.state().observed?.find((one) => one.podUid === uid && one.containerName === container)?.name ?? 'absent'
  const inside = (name: string, container: string, script: string): Promise<string> =>
    docker('exec', nameOf(`uid-${name}`, container), '/bin/busybox', 'sh', '-c', `export PATH=/bin; busybox --install -s /bin 2>/dev/null; ${script}`)
  const run = (pods: readonly DesiredPod[], configs: readonly DesiredConfig[] = []): void => {
    generation += 1
    const digest = desiredDigest(pods, { configs })
    loop.dispatch({ kind: 'target', desired: { device: DEVICE, epoch: 1, generation, issuedAt: '2026-01-01T00:00:00Z', digest, pods, configs } })
  }
  const until = async (holds: (state: AgentState) => boolean): Promise<AgentState> => {
    while (!holds(loop.state())) await sleep(20)
    return loop.state()
  }
  const settled = (): Promise<AgentState> =>
    until(
      ({ desired, timing, wave, imageWaves, plan }) =>
        desired?.generation === generation &&
        timing.fresh &&
        wave === null &&
        imageWaves.length === 0 &&
        plan.waves.length === 0 &&
        plan.waitsFor.length === 0,
    )

  beforeAll(async () => {
    dockerd = await createPrivateDockerd()
    await dockerd.importBusybox('busybox:1')
  })
  afterAll(() => dockerd?.destroy())
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'skerry-pods-'))
    const tmpfs = (await memoryFolder()) ?? ''
    const memory = mkdtempSync(join(tmpfs, 'skerry-pods-'))
    mkdirSync(join(dir, 'allowed'))
    local = {
      policy: { hostPaths: [{ path: join(dir, 'allowed') }, { path: '/dev/zero' }] },
      policyFile: join(dir, 'policy.json'),
      roots: { disk: join(dir, 'pods'), memory },
    }
    logged = []
    const line = (msg: string, fields?: unknown): void => void logged.push(`${msg} ${JSON.stringify(fields ?? {})}`)
    const log: Log = { info: line, warn: line, error: line }
    const engine = createDockerEngine({ socketPath: dockerd.socketPath, device: DEVICE, clock: systemClock })
    const store = openStateStore(join(dir, 'state'), { log })
    loop = startLoop({
      initial: { ...initialState({ device: DEVICE, sid: 'sid-1', agentVersion: 'test' }, systemClock.now()), local },
      ports: {
        engine,
        store,
        log,
        clock: systemClock,
        link: { publishStatus: (report) => void logged.push(JSON.stringify(report)), publishInventory: () => {} },
        prober: new FakeProber(),
        volumes: createVolumes({ disk: join(dir, 'pods'), memory }, local.policy, local.policyFile),
        watchdog: createWatchdog(systemClock, () => undefined),
      },
      onBroken: (event, error) => {
        throw new Error(`broken by ${event.kind}`, { cause: error })
      },
    })
    loop.dispatch({ kind: 'loaded', loaded: await store.load() })
    const unwatch = engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
    generation = 0
    end = async () => {
      unwatch()
      await loop.stop()
      for (const { id } of await engine.observe()) await docker('rm', '-f', id)
      rmSync(dir, { recursive: true, force: true })
      rmSync(memory, { recursive: true, force: true })
    }
  })
  afterEach(() => end())

  it('lets containers of a pod talk over localhost, and replaces only the one whose image changed', async () => {
    await dockerd.docker('tag', 'busybox:1', 'busybox:2')
    const spec = (image: string): Spec => ({
      containers: [box('web', 'mkdir -p /www; echo hello > /www/index.html; exec /bin/busybox httpd -f -p 8080 -h /www'), forever('peer', { image })],
    })
    run([pod('duo', spec('busybox:1'))])
    await settled()
    while (!(await inside('duo', 'peer', 'wget -qO- http://127.0.0.1:8080/ || true')).includes('hello')) await sleep(50)
    expect(await inside('duo', 'peer', 'hostname')).toBe('duo')
    const web = await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', nameOf('uid-duo', 'web'))
    run([pod('duo', spec('busybox:2'))])
    await settled()
    expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', nameOf('uid-duo', 'web'))).toBe(web)
    expect(await docker('inspect', '-f', '{{index .Config.Labels "dev.skerry.image"}}', nameOf('uid-duo', 'peer'))).toBe('busybox:2')
    await until(({ report }) => report.last?.pods[0]?.podIP?.startsWith('172.') === true)
  })

  it('makes all containers again beside a new sandbox when the network of the pod dies', async () => {
    run([pod('trio', { containers: [forever('a'), forever('b')] })])
    await settled()
    const before = loop.state().observed ?? []
    await docker('kill', nameOf('uid-trio', 'POD'))
    await until(
      ({ observed }) =>
        observed !== null &&
        observed.filter(({ state }) => state === 'running').length === 3 &&
        observed.every(({ id }) => !before.some((one) => one.id === id)),
    )
    await settled()
    const [holder] = (loop.state().observed ?? []).filter(({ containerName }) => containerName === 'POD')
    expect((loop.state().observed ?? []).filter(({ sandbox }) => sandbox === holder?.id)).toHaveLength(2)
  })

  it('runs init containers in order before the rest, beside a sidecar that goes on', async () => {
    const at = { volumeMounts: [{ name: 'log', mountPath: '/log' }] }
    const say = (name: string, more: Partial<Container> = {}): Container => box(name, `echo ${name} >> /log/order`, { ...at, ...more })
    run([
      pod('staged', {
        initContainers: [
          say('one'),
          box('side', 'echo side >> /log/order; exec sleep 86400', { ...at, restartPolicy: 'Always' }),
          box('two', 'until /bin/busybox grep -q side /log/order; do sleep 0.1; done; echo two >> /log/order', at),
        ],
        containers: [box('main', 'echo main >> /log/order; exec sleep 86400', at)],
        volumes: [{ name: 'log', emptyDir: {} }],
      }),
    ])
    await settled()
    expect(await inside('staged', 'main', 'until grep main /log/order >/dev/null; do sleep 0.1; done; cat /log/order')).toBe('one\nside\ntwo\nmain')
    // reports are throttled: the newest comes within a second
    const { report: sent } = await until(({ report }) => report.last?.pods[0]?.ready === true)
    const report = sent.last?.pods[0]
    expect(report).toMatchObject({ phase: 'Running', ready: true })
    expect(report?.initContainers?.map(({ name, state, exitCode }) => [name, state, exitCode])).toEqual([
      ['one', 'terminated', 0],
      ['side', 'running', undefined],
      ['two', 'terminated', 0],
    ])
    expect(report?.containers.map(({ name }) => name)).toEqual(['main'])
  })

  it('updates the files of a ConfigMap as a whole under a running container, without a restart', async () => {
    const config = (value: string): DesiredConfig => ({
      kind: 'ConfigMap',
      namespace: 'plant',
      name: 'app',
      data: { a: value.repeat(2_000), b: value.repeat(2_000) },
    })
    // reads both files through one directory handle again and again; a mix of two revisions would be seen
    const watcher = [
      'while true; do cd -P /etc/app/..data 2>/dev/null || continue',
      'x=$(cat a 2>/dev/null | head -c 1); y=$(cat b 2>/dev/null | head -c 1)',
      'if [ -n "$x" ] && [ -n "$y" ] && [ "$x" != "$y" ]; then echo mixed >> /tmp/bad; fi; cd /; done',
    ].join('; ')
    const spec: Spec = {
      containers: [
        box('main', watcher, {
          env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'app', key: 'a' } } }],
          volumeMounts: [{ name: 'c', mountPath: '/etc/app' }],
        }),
      ],
      volumes: [{ name: 'c', configMap: { name: 'app' } }],
    }
    run([pod('conf', spec)], [config('1')])
    await settled()
    const id = await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', nameOf('uid-conf', 'main'))
    for (const value of ['2', '3', '4']) {
      run([pod('conf', spec)], [config(value)])
      await settled()
      expect(await inside('conf', 'main', 'head -c 1 /etc/app/a; head -c 1 /etc/app/b')).toBe(value.repeat(2))
    }
    expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', nameOf('uid-conf', 'main'))).toBe(id)
    expect(await inside('conf', 'main', 'cat /tmp/bad 2>/dev/null || echo never')).toBe('never')
    expect(await inside('conf', 'main', 'ls -a /etc/app | grep -cE "^\\.\\.[0-9a-f]{16}$"')).toBe('1')
    expect(await inside('conf', 'main', 'head -c 1 /proc/1/environ >/dev/null; tr "\\0" "\\n" < /proc/1/environ | grep ^A= | head -c 3')).toBe('A=1')
  })

  it('keeps Secrets on tmpfs, out of logs, plans and reports', async () => {
    const secret: DesiredConfig = { kind: 'Secret', namespace: 'plant', name: 'door', data: { pin: Buffer.from('S3cr3t-4711').toString('base64') } }
    run(
      [
        pod('safe', {
          securityContext: { runAsUser: 1000, fsGroup: 2000 },
          containers: [forever('main', { envFrom: [{ secretRef: { name: 'door' } }], volumeMounts: [{ name: 's', mountPath: '/secret' }] })],
          volumes: [{ name: 's', secret: { secretName: 'door', defaultMode: 0o400 } }],
        }),
      ],
      [secret],
    )
    await settled()
    expect(await inside('safe', 'main', 'cat /secret/pin; echo; stat -L -c "%a %g" /secret/pin; stat -f -c %T /secret; echo $pin')).toBe(
      'S3cr3t-4711\n440 2000\ntmpfs\nS3cr3t-4711',
    )
    const source = await docker('inspect', '-f', '{{range .Mounts}}{{.Source}}{{end}}', nameOf('uid-safe', 'main'))
    expect(statfsSync(source).type).toBe(0x01021994)
    expect(existsSync(join(dir, 'pods', 'uid-safe', 'files'))).toBe(false)
    expect(logged.join('\n')).not.toMatch(/S3cr3t|UzNjcjN0/)
    expect(JSON.stringify(loop.state().plan.verdicts)).not.toContain('S3cr3t')
  })

  it('waits for a Secret that is missing and names it, while others run', async () => {
    const needs = pod('needs', { containers: [forever('main', { envFrom: [{ secretRef: { name: 'later' } }] })] })
    run([needs, pod('free', { containers: [forever('main')] })])
    const state = await until(
      ({ observed, plan, desired, wave }) =>
        desired?.generation === generation && wave === null && observed?.length === 1 && plan.waitsFor.length > 0,
    )
    expect(state.plan.waitsFor).toEqual([{ code: 'config.missing', facts: { kind: 'Secret', name: 'later', what: 'does not exist' } }])
    run([needs, pod('free', { containers: [forever('main')] })], [{ kind: 'Secret', namespace: 'plant', name: 'later', data: { k: 'dg==' } }])
    await settled()
    expect(loop.state().observed).toHaveLength(2)
  })

  it('shares an emptyDir, in memory with its size, and leaves nothing behind', async () => {
    const mounts = {
      volumeMounts: [
        { name: 'd', mountPath: '/d' },
        { name: 'm', mountPath: '/m' },
      ],
    }
    run([
      pod('share', {
        containers: [forever('a', mounts), forever('b', mounts)],
        volumes: [
          { name: 'd', emptyDir: {} },
          { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        ],
      }),
    ])
    await settled()
    await inside('share', 'a', 'echo disk > /d/f; echo mem > /m/f')
    expect(await inside('share', 'b', 'cat /d/f /m/f; stat -f -c %T /m')).toBe('disk\nmem\ntmpfs')
    expect(await inside('share', 'b', 'dd if=/dev/zero of=/m/big bs=1k count=2000 2>&1 | grep -c "No space"')).toBe('1')
    // what is in memory outlives the container that wrote it
    const runOfA = ({ observed }: AgentState): string | null =>
      observed?.find(({ podUid, containerName, state }) => podUid === 'uid-share' && containerName === 'a' && state === 'running')?.startedAt ?? null
    const before = runOfA(loop.state())
    await docker('kill', nameOf('uid-share', 'a'))
    await until((state) => ![null, before].includes(runOfA(state)))
    expect(await inside('share', 'a', 'cat /m/f /d/f')).toBe('mem\ndisk')
    expect(existsSync(join(dir, 'pods', 'uid-share'))).toBe(true)
    run([])
    await settled()
    expect(existsSync(join(dir, 'pods', 'uid-share'))).toBe(false)
    expect(await docker('volume', 'ls', '-q')).toBe('')
    expect(loop.state().observed).toEqual([])
  })

  it('keeps a claim on the device for the next pod', async () => {
    const claims = (name: string): DesiredPod =>
      pod(name, {
        containers: [forever('main', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      })
    run([claims('first')])
    await settled()
    await inside('first', 'main', 'echo kept > /v/f')
    run([])
    await settled()
    run([claims('second')])
    await settled()
    expect(await inside('second', 'main', 'cat /v/f')).toBe('kept')
    run([])
    await settled()
    await docker('volume', 'rm', 'skerry-pvc-plant-data')
  })

  it('mounts host paths only where the device allows it, also through links', async () => {
    const mounts = (name: string, path: string): DesiredPod =>
      pod(name, { containers: [forever('main', { volumeMounts: [{ name: 'h', mountPath: '/h' }] })], volumes: [{ name: 'h', hostPath: { path } }] })
    writeFileSync(join(dir, 'allowed', 'f'), 'seen')
    symlinkSync('/etc', join(dir, 'allowed', 'out'))
    run([
      mounts('good', join(dir, 'allowed')),
      mounts('bad', '/etc'),
      mounts('dots', `${dir}/allowed/../..`),
      mounts('link', join(dir, 'allowed', 'out')),
    ])
    const state = await until(
      ({ observed, plan, ledger }) =>
        observed?.some((one) => one.podName === 'good' && one.state === 'running') === true &&
        plan.verdicts.filter(({ cause }) => cause?.code === 'policy.device.denied').length === 3 &&
        Object.keys(ledger).length > 0,
    )
    expect(await inside('good', 'main', 'cat /h/f')).toBe('seen')
    expect(state.observed?.filter((one) => one.state === 'running').map(({ podName }) => podName)).toEqual(['good'])
  })

  it('gives a device to the container that names it', async () => {
    run([
      pod('dev', {
        containers: [forever('main', { volumeMounts: [{ name: 'z', mountPath: '/dev/nothing' }] })],
        volumes: [{ name: 'z', hostPath: { path: '/dev/zero', type: 'CharDevice' } }],
      }),
    ])
    await settled()
    expect(await inside('dev', 'main', 'head -c 3 /dev/nothing | od -An -tx1')).toBe('00 00 00')
  })

  it('makes user, groups, capabilities, read-only root and privileges effective', async () => {
    const { stdout: who } = {
      stdout: 'id -u; id -g; id -G; grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status | tr "\\t" " "; touch /x 2>&1 | grep -c Read-only',
    }
    run([
      pod('tight', {
        securityContext: { runAsUser: 1234, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 5000, runAsNonRoot: true },
        containers: [
          forever('main', {
            securityContext: {
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
              allowPrivilegeEscalation: false,
            },
          }),
        ],
      }),
      pod('root', { containers: [forever('main', { securityContext: { runAsNonRoot: true } })] }),
      pod('power', { containers: [forever('main', { securityContext: { privileged: true } })] }),
    ])
    const { plan: seen } = await until(
      ({ observed, plan }) =>
        observed?.length === 1 && observed[0]?.state === 'running' && plan.verdicts.filter(({ kind }) => kind === 'blocked').length === 2,
    )
    const text = await docker(
      'exec',
      nameOf('uid-tight', 'main'),
      '/bin/busybox',
      'sh',
      '-c',
      who.replaceAll(/\b(id|grep|tr|touch)\b/g, 'busybox $1'),
    )
    expect(text.split('\n')).toEqual(['1234', '3000', '3000 4000 5000', 'CapBnd: 0000000000000400', 'NoNewPrivs: 1', 'Seccomp: 2', '1'])
    // of that moment: what is blocked is tried again now and then
    const causes = seen.verdicts.flatMap(({ cause }) => (cause === undefined ? [] : [cause]))
    expect(causes.map(({ code }) => code).toSorted()).toEqual(['container.create.failed', 'policy.device.denied'])
    expect(causes.find(({ code }) => code === 'container.create.failed')?.facts['why']).toContain('runAsNonRoot')
  })

  it('stops a fork bomb at its pids limit, and the others do not notice', async () => {
    run([
      pod('bomb', {
        containers: [box('main', 'f() { f | f & }; while true; do f; sleep 1; done')],
        resources: { limits: { pids: 40 } },
        restartPolicy: 'Never',
      }),
      pod('calm', { containers: [box('main', 'n=0; while true; do n=$((n+1)); echo $n > /tmp/n; sleep 0.1; done')] }),
    ])
    await until(({ observed }) => observed?.some((one) => one.podName === 'calm' && one.state === 'running') === true)
    await sleep(1_500)
    const before = Number(await inside('calm', 'main', 'cat /tmp/n'))
    let pids = NaN
    // `--` when the engine had no sample in time
    while (Number.isNaN(pids)) pids = Number((await docker('stats', '--no-stream', '--format', '{{.PIDs}}', nameOf('uid-bomb', 'main'))) || '0')
    expect(pids).toBeLessThanOrEqual(40)
    while (Number((await inside('calm', 'main', 'cat /tmp/n')) || '0') <= before) await sleep(50)
    run([pod('calm', { containers: [box('main', 'n=0; while true; do n=$((n+1)); echo $n > /tmp/n; sleep 0.1; done')] })])
    await settled()
    expect(loop.state().observed?.map(({ podName }) => podName)).toEqual(['calm'])
  })

  it('tells a pod about itself', async () => {
    const field = (name: string, fieldPath: string): NonNullable<Container['env']>[number] => ({ name, valueFrom: { fieldRef: { fieldPath } } })
    run(
      [
        pod(
          'self',
          {
            hostAliases: [{ ip: '10.1.2.3', hostnames: ['plc.local'] }],
            containers: [
              forever('main', {
                env: [
                  field('NAME', 'metadata.name'),
                  field('NODE', 'spec.nodeName'),
                  field('IP', 'status.podIP'),
                  { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
                  { name: 'BOTH', value: '$(NAME)-$(NODE)' },
                ],
                resources: { limits: { memory: '64Mi' } },
                volumeMounts: [{ name: 'p', mountPath: '/p' }],
              }),
            ],
            volumes: [
              {
                name: 'p',
                projected: {
                  sources: [
                    { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
                    { configMap: { name: 'c', items: [{ key: 'k', path: 'sub/k.txt' }] } },
                  ],
                },
              },
            ],
          },
          { line: '2' },
        ),
      ],
      [{ kind: 'ConfigMap', namespace: 'plant', name: 'c', data: { k: 'v' } }],
    )
    await settled()
    const [ip, rest] = [
      await docker('inspect', '-f', '{{.NetworkSettings.IPAddress}}', nameOf('uid-self', 'POD')),
      await inside(
        'self',
        'main',
        'echo $NAME $NODE $IP $MEM $BOTH; cat /p/labels; echo; cat /p/sub/k.txt; echo; grep plc.local /etc/hosts | tr "\\t" " "',
      ),
    ]
    expect(rest).toBe(`self gw-pods ${ip} 64 self-gw-pods\nline="2"\nv\n10.1.2.3 plc.local`)
  })
})
