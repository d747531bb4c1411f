/** The commands people type, with real kubectl binaries. There are no controllers here: what they would write, the test writes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../fakes/api-server.ts'
import { kubectlAgainst, kubectlBinaries } from './kubectl-runner.ts'
import type { Kubectl, Ran } from './kubectl-runner.ts'

function deployment(image: string, extra = ''): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${extra}      containers:
      - name: web
        image: ${image}
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 100m, memory: 16Mi}}
`
}

const OTHERS = `apiVersion: v1
kind: ConfigMap
metadata: {name: cm1}
data: {k: v}
---
apiVersion: v1
kind: Secret
metadata: {name: s1}
stringData: {password: hush}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ds1}
spec:
  selector: {matchLabels: {app: ds1}}
  template:
    metadata: {labels: {app: ds1}}
    spec: {containers: [{name: c, image: "agent:1"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: team}
`

const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'gw-1', labels: { 'kubernetes.io/arch': 'arm64' } },
}
const NODE_STATUS = {
  status: {
    capacity: { cpu: '4', memory: '8Gi', pods: '110' },
    allocatable: { cpu: '4', memory: '7Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True', reason: 'DeviceReports', message: 'the device reports' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.7' }],
  },
}
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p1', labels: { app: 'web' } },
  spec: { nodeName: 'gw-1', containers: [{ name: 'c', image: 'i:1' }] },
}
const POD_STATUS = {
  status: {
    phase: 'Running',
    podIP: '172.17.0.2',
    startTime: '2026-01-01T00:00:00Z',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      {
        name: 'c',
        image: 'i:1',
        imageID: '',
        ready: true,
        started: true,
        restartCount: 3,
        state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      },
    ],
  },
}
const EVENT = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'p1.1', namespace: 'default' },
  reason: 'Started',
  message: 'container c runs',
  type: 'Normal',
  count: 2,
  firstTimestamp: '2026-01-01T00:00:00Z',
  lastTimestamp: '2026-01-01T00:00:00Z',
  source: { component: 'device' },
}

const binaries = kubectlBinaries()

function good(line: string, ran: Ran, says: readonly (string | RegExp)[]): Ran {
  expect([line, ran.code, ran.err]).toEqual([line, 0, expect.any(String)])
  for (const text of says) expect(ran.out).toMatch(text)
  return ran
}

function renamed(manifest: string): string {
  return manifest.replace('name: web, labels', 'name: bad, labels')
}

describe.skipIf(binaries.length === 0).each(binaries)('%s', (binary) => {
  let kubectl: Kubectl
  let minor = 0

  beforeAll(async () => {
    kubectl = await kubectlAgainst(binary)
    const { server } = kubectl
    const merge = 'application/merge-patch+json'
    await call(server, 'POST', '/api/v1/nodes', { body: NODE })
    await call(server, 'PATCH', '/api/v1/nodes/gw-1/status', { body: NODE_STATUS, type: merge })
    const pod = await call(server, 'POST', '/api/v1/namespaces/default/pods', { body: POD })
    await call(server, 'PATCH', '/api/v1/namespaces/default/pods/p1/status', { body: POD_STATUS, type: merge })
    const about = { kind: 'Pod', name: 'p1', namespace: 'default', uid: pod.object().metadata.uid }
    const event = await call(server, 'POST', '/api/v1/namespaces/default/events', { body: { ...EVENT, involvedObject: about } })
    expect(event.code).toBe(201)
    const version = await kubectl.run('version --client -o json')
    minor = Number(/"minor": "(\d+)/.exec(version.out)?.[1])
  })
  afterAll(async () => {
    await kubectl.close()
  })

  async function ok(line: string, ...says: readonly (string | RegExp)[]): Promise<Ran> {
    return good(line, await kubectl.run(line), says)
  }

  async function apply(manifest: string, args = '', ...says: readonly (string | RegExp)[]): Promise<Ran> {
    const line = `apply${args === '' ? '' : ` ${args}`} -f -`
    return good(line, await kubectl.run(line, manifest), says)
  }

  async function containerOf(name: string): Promise<unknown> {
    const ran = await kubectl.run(`get deploy ${name} -o jsonpath={.spec.template.spec.containers[0]}`)
    return JSON.parse(ran.out) as unknown
  }

  async function bad(line: string, says: RegExp, input = ''): Promise<void> {
    const ran = await kubectl.run(line, input)
    expect([line, ran.code === 0, `${ran.out}${ran.err}`]).toEqual([line, false, expect.stringMatching(says)])
  }

  it('version, api-resources, api-versions, raw', async () => {
    await ok('version', /Server Version:.*1\.31/s)
    await ok('api-resources', /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/, /nodes\s+no\s+v1\s+false\s+Node/)
    await ok('api-versions', 'apps/v1', 'authorization.k8s.io/v1')
    await ok('get --raw /readyz', 'ok')
  })

  it('apply: new, unchanged, changed; all kinds', async () => {
    await apply(deployment('web:1'), '', 'deployment.apps/web created')
    await apply(deployment('web:1'), '', 'deployment.apps/web unchanged')
    await apply(deployment('web:2'), '', 'deployment.apps/web configured')
    expect(await containerOf('web')).toMatchObject({ image: 'web:2', env: [{ name: 'A' }, { name: 'B' }] })
    await apply(deployment('web:2').replace('{name: B, value: "2"}', '{name: C, value: "3"}'), '', 'configured')
    expect(await containerOf('web')).toMatchObject({
      env: [
        { name: 'A', value: '1' },
        { name: 'C', value: '3' },
      ],
    })
    await ok('get deploy web -o jsonpath={.metadata.generation}', /^3$/)
    await apply(OTHERS, '', 'configmap/cm1 created', 'secret/s1 created', 'daemonset.apps/ds1 created', 'namespace/team created')
    await apply(OTHERS.replace('k: v', 'k: w'), '', 'configmap/cm1 configured', 'daemonset.apps/ds1 unchanged')
    expect((await ok('get secret s1 -o jsonpath={.data.password}')).out).toBe(Buffer.from('hush').toString('base64'))
  })

  it('get in every form', async () => {
    await ok('get nodes', /gw-1\s+Ready/)
    await ok('get no -o wide', '10.0.0.7')
    await ok('get pods', /p1\s+1\/1\s+Running\s+3/)
    await ok('get pods -o wide', /172\.17\.0\.2\s+gw-1/)
    await ok('get deploy', /web\s+0\/2/)
    await ok('get deploy -o wide', 'app=web')
    await ok('get deploy web -o json', '"kind": "Deployment"')
    await ok('get deploy web -o yaml', 'kind: Deployment')
    await ok('get deploy,cm -o name', 'deployment.apps/web', 'configmap/cm1')
    await ok('get pods -A', /default\s+p1/)
    await ok('get pods -l app=web --show-labels', /p1.*app=web/)
    expect((await ok('get pods -l app!=web')).out).toBe('')
    await ok('get pods --field-selector spec.nodeName=gw-1', 'p1')
    await ok('get cm --sort-by=.metadata.name', 'cm1')
    await ok('get nodes -L kubernetes.io/arch', 'arm64')
    await ok('get pods -o custom-columns=N:.metadata.name,P:.status.phase', /p1\s+Running/)
    await ok('get events', 'container c runs')
    await ok('get all', 'deployment.apps/web', 'pod/p1', 'daemonset.apps/ds1')
    await ok('get ns', /default\s+Active/)
    await bad('get pods nothing', /pods "nothing" not found/)
    await bad('get unicorns', /the server doesn't have a resource type "unicorns"/)
  })

  it('get -w shows a change', async () => {
    const watching = kubectl.background('get cm cm1 -w')
    try {
      await expect.poll(() => watching.output(), { timeout: 60_000 }).toMatch(/cm1\s+1/)
      await ok('patch cm cm1 --type=merge -p {"data":{"k2":"v2"}}')
      await expect.poll(() => watching.output(), { timeout: 60_000 }).toMatch(/cm1\s+1[^]*cm1\s+2/)
    } finally {
      await watching.stop()
    }
  })

  it('describe each kind', async () => {
    await ok('describe node gw-1', /Non-terminated Pods:\s+\(1 in total\)/, /default\s+p1/, 'DeviceReports')
    await ok('describe pod p1', /Node:\s+gw-1/, 'container c runs')
    await ok('describe deploy web', /Replicas:\s+2 desired/, 'RollingUpdate')
    await ok('describe ds ds1', /Name:\s+ds1/)
    await ok('describe cm cm1', 'k2')
    await ok('describe secret s1', /password:\s+4 bytes/)
    await ok('describe ns default', /Status:\s+Active/)
    await ok('describe events', 'Started')
  })

  it('label, annotate, scale, set, patch, taint, cordon, edit', async () => {
    await ok('label node gw-1 site=north', 'node/gw-1 labeled')
    await ok('label node gw-1 site-')
    await ok('annotate deploy web note=hi', /annotated?/)
    await ok('scale deploy web --replicas=5', /scaled/)
    await bad('scale deploy web --current-replicas=9 --replicas=1', /[Ee]xpected replicas/)
    await ok('set image deploy/web web=web:3', /image updated/)
    await ok('set env deploy/web D=4', /env updated/)
    await ok('set resources deploy/web --limits=cpu=200m', /resource requirements updated/)
    expect(await containerOf('web')).toMatchObject({
      image: 'web:3',
      env: [{ name: 'A' }, { name: 'C' }, { name: 'D', value: '4' }],
      resources: { limits: { cpu: '200m' }, requests: { memory: '16Mi' } },
    })
    await ok('get deploy web -o jsonpath={.spec.replicas}{.metadata.annotations.note}', /^5hi$/)
    await ok('patch deploy web --type=json -p [{"op":"replace","path":"/spec/replicas","value":3}]', 'patched')
    await ok('patch deploy web -p {"spec":{"template":{"spec":{"containers":[{"name":"web","image":"web:4"}]}}}}', 'patched')
    await ok('taint node gw-1 a=b:NoSchedule', 'tainted')
    await ok('taint node gw-1 a-', 'untainted')
    await ok('cordon gw-1', 'cordoned')
    await ok('get nodes', 'SchedulingDisabled')
    await ok('uncordon gw-1', 'uncordoned')
    await ok('rollout pause deploy/web', 'paused')
    await ok('rollout resume deploy/web', 'resumed')
    await ok('rollout restart deploy/web', 'restarted')
    await ok('annotate deploy web --overwrite note=edit-me')
    await ok('edit deploy web', 'edited')
    await ok('get deploy web -o jsonpath={.metadata.annotations.note}', /^was-edited$/)
  })

  it('create, run, replace', async () => {
    const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rep}\ndata: {a: "1"}\n'
    expect((await kubectl.run('create -f -', map)).out).toContain('configmap/rep created')
    await bad('create -f -', /AlreadyExists.*configmaps "rep" already exists/s, map)
    expect((await kubectl.run('replace -f -', map.replace('"1"', '"2"'))).out).toContain('configmap/rep replaced')
    await ok('run one --image=busybox --restart=Never', 'pod/one created')
    if (minor < 32) await ok('create configmap typed --from-literal=a=b', 'configmap/typed created')
    else await bad('create configmap typed --from-literal=a=b', /--dry-run=client -o yaml \| kubectl apply -f -/)
  })

  it('names what is wrong in a manifest and stores nothing', async () => {
    await bad(
      'create -f -',
      /unknown field "spec\.template\.spec\.containers\[0\]\.imagee"/,
      renamed(deployment('web:1').replace('image:', 'imagee:')),
    )
    await bad('apply -f -', /unknown field "spec\.template\.spec\.colour"/, renamed(deployment('web:1', '      colour: red\n')))
    await bad('apply -f -', /spec\.template\.spec\.hostPID.*not supported/, renamed(deployment('web:1', '      hostPID: true\n')))
    await bad('apply -f -', /spec\.replicas/, renamed(deployment('web:1').replace('replicas: 2', 'replicas: lots')))
    await bad('apply -f -', /spec\.template\.spec\.colour/, deployment('web:1', '      colour: red\n'))
    await bad('get deploy bad', /not found/)
  })

  it('dry run and diff leave things as they are', async () => {
    const revision = await kubectl.server.store.revision()
    // kubectl before 1.27 asks the v2 document for the dryRun parameter, which an empty one does not have
    if (minor >= 27) {
      await apply(deployment('web:9'), '--dry-run=server', 'configured (server dry run)')
      const diff = await kubectl.run('diff -f -', deployment('web:9'))
      expect([diff.code, diff.out]).toEqual([1, expect.stringMatching(/\+\s+- image: web:9|\+.*image: web:9/)])
    }
    await apply(deployment('web:9'), '--dry-run=client', '(dry run)')
    expect(await kubectl.server.store.revision()).toBe(revision)
  })

  it('explain and can-i', async () => {
    if (minor >= 27) await ok('explain deploy.spec.replicas', /replicas\s+<integer>/)
    if (minor < 32) await ok('auth can-i create pods', 'yes')
  })

  it('rollout status and wait follow the status that controllers write', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments/web'
    const { metadata } = (await call(kubectl.server, 'GET', path)).object()
    const counts = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 }
    const waiting = kubectl.run('wait --for=condition=Available deploy/web --timeout=30s')
    const status = { ...counts, observedGeneration: metadata.generation, conditions: [{ type: 'Available', status: 'True' }] }
    expect((await call(kubectl.server, 'PATCH', `${path}/status`, { body: { status }, type: 'application/merge-patch+json' })).code).toBe(200)
    expect((await waiting).out).toContain('condition met')
    await ok('rollout status deploy/web --timeout=30s', 'successfully rolled out')
    await ok('get deploy web', /web\s+3\/3\s+3\s+3/)
  })

  it('drain evicts and waits for the device; a namespace waits for its controller', async () => {
    const path = '/api/v1/namespaces/default/pods/p1'
    const draining = kubectl.run('drain gw-1 --force --ignore-daemonsets --timeout=60s')
    await expect.poll(async () => (await call(kubectl.server, 'GET', path)).object().metadata.deletionTimestamp, { timeout: 60_000 }).toBeDefined()
    await call(kubectl.server, 'DELETE', `${path}?gracePeriodSeconds=0`)
    // 1.20 evicts only where a group `policy` is served; else it deletes, which today is the same
    expect((await draining).out).toMatch(/pod\/p1 (evicted|deleted)[^]*node\/gw-1 (drained|evicted|deleted)/)
    const closing = kubectl.run('delete ns team --timeout=60s')
    await expect.poll(async () => (await kubectl.run('get ns team -o jsonpath={.status.phase}')).out, { timeout: 60_000 }).toBe('Terminating')
    await kubectl.server.store.delete('namespaces', '', 'team', null)
    expect((await closing).code).toBe(0)
    await ok('uncordon gw-1')
    await call(kubectl.server, 'POST', '/api/v1/namespaces/default/pods', { body: POD })
  })

  it('delete', async () => {
    await ok('delete pod one', 'pod "one" deleted')
    await ok('delete pod p1 --grace-period=0 --force', 'deleted')
    await ok('delete deploy web', 'deleted')
    expect((await kubectl.run('delete -f -', OTHERS.split('---\n').slice(0, 3).join('---\n'))).out).toContain('configmap "cm1" deleted')
    await ok('delete cm -l nothing=here')
    await bad('delete cm cm1', /not found/)
    expect((await ok('get deploy,ds,pods,secrets -o name')).out).toBe('')
  })
})
