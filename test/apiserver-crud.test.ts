/** The API over a real server and a real store: create, read, change, delete, and what is refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ADMIN, call, startApiServer, STRANGER } from './fakes/api-server.ts'
import type { TestServer } from './fakes/api-server.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const PODS = '/api/v1/namespaces/default/pods'
const MAPS = '/api/v1/namespaces/default/configmaps'

interface Deployment {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: object
  readonly spec: { readonly replicas: number; readonly selector: object; readonly template: { readonly metadata: object; readonly spec: object } }
}

function deployment(name: string): Deployment {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  }
}

function pod(name: string, spec: object = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec } }
}

let server: TestServer
beforeEach(async () => {
  server = await startApiServer()
})
afterEach(async () => {
  await server.close()
})

describe('create', () => {
  it('fills what the server owns and answers 201', async () => {
    const sent = { ...deployment('web'), metadata: { name: 'web', uid: 'mine', creationTimestamp: null }, status: { replicas: 99 } }
    const reply = await call(server, 'POST', DEPLOYMENTS, { body: sent })
    expect(reply.code).toBe(201)
    const made = reply.object()
    expect(made.metadata).toMatchObject({ name: 'web', namespace: 'default', generation: 1 })
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(made['status']).not.toMatchObject({ replicas: 99 })
    expect((await call(server, 'GET', `${DEPLOYMENTS}/web`)).object()).toEqual(made)
  })

  it('names from generateName, refuses a second one of the same name', async () => {
    const made = await call(server, 'POST', PODS, { body: { ...pod(''), metadata: { generateName: 'web-' } } })
    expect(made.object().metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
    await call(server, 'POST', MAPS, { body: { metadata: { name: 'a' } } })
    const again = await call(server, 'POST', MAPS, { body: { metadata: { name: 'a' } } })
    expect(again.code).toBe(409)
    expect(again.json()).toMatchObject({ kind: 'Status', reason: 'AlreadyExists', message: 'configmaps "a" already exists', details: { name: 'a' } })
  })

  it('needs the namespace to exist and to stay', async () => {
    const missing = await call(server, 'POST', '/api/v1/namespaces/nowhere/configmaps', { body: { metadata: { name: 'a' } } })
    expect(missing.code).toBe(404)
    expect(missing.json()).toMatchObject({ message: 'namespaces "nowhere" not found' })
    await call(server, 'POST', '/api/v1/namespaces', { body: { metadata: { name: 'team' } } })
    expect((await call(server, 'DELETE', '/api/v1/namespaces/default')).code).toBe(403)
    expect((await call(server, 'DELETE', '/api/v1/namespaces/team')).object()).toMatchObject({ status: { phase: 'Terminating' } })
    const late = await call(server, 'POST', '/api/v1/namespaces/team/configmaps', { body: { metadata: { name: 'a' } } })
    expect(late.code).toBe(403)
    expect(late.text).toContain('being terminated')
  })

  it('with dryRun=All stores nothing', async () => {
    expect((await call(server, 'POST', `${MAPS}?dryRun=All`, { body: { metadata: { name: 'a' } } })).code).toBe(201)
    expect((await call(server, 'GET', `${MAPS}/a`)).code).toBe(404)
  })
})

describe('bad input is refused with the field named and nothing stored', () => {
  const web = deployment('web')
  const withPodSpec = (fields: object): object => {
    const template = { ...web.spec.template, spec: { ...web.spec.template.spec, ...fields } }
    return { ...web, spec: { ...web.spec, template } }
  }
  const cases: readonly (readonly [string, object, number, RegExp])[] = [
    ['unknown field', { body: withPodSpec({ containerz: [] }) }, 400, /strict decoding error: unknown field \\?"spec\.template\.spec\.containerz/],
    ['two unknown fields', { body: { ...web, specc: 1, statuss: 2 } }, 400, /specc.*statuss/],
    ['wrong type', { body: { ...web, spec: { ...web.spec, replicas: 'three' } } }, 422, /spec\.replicas/],
    ['unsupported pod field', { body: withPodSpec({ hostPID: true }) }, 422, /spec\.template\.spec\.hostPID/],
    ['missing required field', { body: { ...web, spec: { replicas: 1 } } }, 422, /spec\.selector/],
    ['bad name', { body: { ...web, metadata: { name: 'Web_1' } } }, 422, /metadata\.name/],
    ['no name', { body: { ...web, metadata: {} } }, 422, /metadata\.name/],
    ['wrong kind', { body: { ...web, kind: 'Pod' } }, 400, /kind in the data \(Pod\)/],
    ['wrong namespace', { body: { ...web, metadata: { name: 'web', namespace: 'other' } } }, 400, /namespace of the provided object/],
    ['300 KiB object', { body: { ...web, metadata: { name: 'web', annotations: { a: 'x'.repeat(300 * 1024) } } } }, 413, /262144 bytes/],
    ['__proto__', { raw: JSON.stringify(web).replace('"replicas":2', '"__proto__":{"replicas":3}') }, 400, /spec\.__proto__/],
    ['constructor', { raw: JSON.stringify(web).replace('"replicas":2', '"constructor":{}') }, 400, /spec\.constructor/],
    ['deep document', { raw: `${'{"a":'.repeat(200)}1${'}'.repeat(200)}` }, 400, /deeper than 32/],
    ['very deep document', { raw: '['.repeat(100_000) }, 400, /not JSON/],
    ['YAML bomb', { raw: 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n', type: 'application/yaml' }, 400, /not YAML that is accepted: Alias resolution/],
    ['deep YAML', { raw: '['.repeat(100_000), type: 'application/yaml' }, 400, /deeper than 32/],
    ['deep YAML block', { raw: `${'- '.repeat(50_000)}x`, type: 'application/yaml' }, 400, /deeper than 32/],
    ['broken JSON', { raw: '{"kind":' }, 400, /not JSON/],
    ['protobuf', { raw: 'k8s\u0000', type: 'application/vnd.kubernetes.protobuf' }, 415, /--dry-run=client -o yaml \| kubectl apply -f -/],
    ['form', { raw: 'a=b', type: 'application/x-www-form-urlencoded' }, 415, /application\/json/],
    ['empty body', {}, 400, /Deployment/],
    ['a list', { body: [] }, 400, /Deployment/],
  ]
  it.each(cases)('%s', async (_name, sent, code, says) => {
    const before = await server.store.revision()
    const reply = await call(server, 'POST', DEPLOYMENTS, sent)
    expect([reply.code, reply.text]).toEqual([code, expect.stringMatching(says)])
    expect(reply.json()).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code })
    expect(await server.store.revision()).toBe(before)
  })

  it('lists every fault as a cause', async () => {
    const reply = await call(server, 'POST', DEPLOYMENTS, { body: withPodSpec({ hostPID: true, hostIPC: true }) })
    const causes = [{ field: 'spec.template.spec.hostPID' }, { field: 'spec.template.spec.hostIPC' }]
    expect(reply.json()).toMatchObject({ reason: 'Invalid', details: { causes } })
  })

  it('unknown fields: Warn drops them and says so, Ignore only drops them', async () => {
    const warned = await call(server, 'POST', `${DEPLOYMENTS}?fieldValidation=Warn`, { body: { ...web, specc: 1 } })
    expect(warned.code).toBe(201)
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"specc\\""')
    expect(warned.object()).not.toHaveProperty('specc')
    const ignored = await call(server, 'POST', `${DEPLOYMENTS}?fieldValidation=Ignore`, { body: { ...deployment('b'), specc: 1 } })
    expect([ignored.code, ignored.headers['warning']]).toEqual([201, undefined])
  })

  it('takes YAML', async () => {
    const reply = await call(server, 'POST', MAPS, { raw: 'metadata:\n  name: a\ndata:\n  k: v\n', type: 'application/yaml' })
    expect(reply.object()).toMatchObject({ kind: 'ConfigMap', data: { k: 'v' } })
  })
})

describe('change', () => {
  it('PUT: generation follows the spec, an older revision is a conflict, no change writes nothing', async () => {
    const made = (await call(server, 'POST', DEPLOYMENTS, { body: deployment('web') })).object()
    const labelled = await call(server, 'PUT', `${DEPLOYMENTS}/web`, { body: { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } } })
    expect(labelled.object().metadata).toMatchObject({ generation: 1, labels: { a: 'b' }, uid: made.metadata.uid })
    const stale = await call(server, 'PUT', `${DEPLOYMENTS}/web`, { body: made })
    expect(stale.code).toBe(409)
    expect(stale.json()).toMatchObject({ reason: 'Conflict' })
    expect(stale.text).toContain('please apply your changes to the latest version and try again')
    const scaled = await call(server, 'PUT', `${DEPLOYMENTS}/web`, {
      body: { ...deployment('web'), spec: { ...deployment('web').spec, replicas: 5 } },
    })
    expect(scaled.object().metadata.generation).toBe(2)
    const revision = await server.store.revision()
    expect((await call(server, 'PUT', `${DEPLOYMENTS}/web`, { body: scaled.object() })).code).toBe(200)
    expect(await server.store.revision()).toBe(revision)
  })

  it('status and spec are changed through their own paths only', async () => {
    const made = (await call(server, 'POST', DEPLOYMENTS, { body: deployment('web') })).object()
    const both = { ...made, spec: { ...deployment('web').spec, replicas: 7 }, status: { replicas: 7 } }
    const main = await call(server, 'PUT', `${DEPLOYMENTS}/web`, { body: both })
    expect(main.object()).toMatchObject({ spec: { replicas: 7 } })
    expect(main.object()['status']).not.toMatchObject({ replicas: 7 })
    const patch = { spec: { replicas: 9 }, status: { observedGeneration: 2 } }
    const status = await call(server, 'PATCH', `${DEPLOYMENTS}/web/status`, { body: patch, type: 'application/merge-patch+json' })
    expect(status.object()).toMatchObject({ spec: { replicas: 7 }, status: { observedGeneration: 2 }, metadata: { generation: 2 } })
  })

  it('three kinds of PATCH', async () => {
    await call(server, 'POST', DEPLOYMENTS, { body: deployment('web') })
    const merge = await call(server, 'PATCH', `${DEPLOYMENTS}/web`, {
      body: { metadata: { labels: { x: 'y' } } },
      type: 'application/merge-patch+json',
    })
    expect(merge.object().metadata.labels).toEqual({ x: 'y' })
    const strategic = { spec: { template: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } } }
    const byName = await call(server, 'PATCH', `${DEPLOYMENTS}/web`, { body: strategic, type: 'application/strategic-merge-patch+json' })
    expect(byName.object()['spec']).toMatchObject({ template: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } })
    const operations = [{ op: 'replace', path: '/spec/replicas', value: 4 }]
    const json = await call(server, 'PATCH', `${DEPLOYMENTS}/web`, { body: operations, type: 'application/json-patch+json' })
    expect(json.object()['spec']).toMatchObject({ replicas: 4 })
  })

  it('a patch that fails changes nothing', async () => {
    await call(server, 'POST', DEPLOYMENTS, { body: deployment('web') })
    const revision = await server.store.revision()
    const cases: readonly (readonly [unknown, string, number, string])[] = [
      [[{ op: 'test', path: '/spec/replicas', value: 9 }], 'application/json-patch+json', 422, 'operation 0'],
      [[{ op: 'remove', path: '/spec/nothing' }], 'application/json-patch+json', 422, '/spec/nothing'],
      [{}, 'application/json-patch+json', 400, 'list of operations'],
      [{ spec: { replicaz: 1 } }, 'application/merge-patch+json', 400, 'spec.replicaz'],
      [{ spec: { replicas: 'x' } }, 'application/strategic-merge-patch+json', 422, 'spec.replicas'],
      [{ metadata: { resourceVersion: '1' } }, 'application/merge-patch+json', 409, 'modified'],
      [{ metadata: { name: 'other' } }, 'application/merge-patch+json', 400, 'name'],
      [{ spec: { selector: { matchLabels: { app: 'b' } } } }, 'application/merge-patch+json', 422, 'spec.selector'],
      [{}, 'application/apply-patch+yaml', 415, 'server-side apply'],
      [{}, 'application/json', 415, 'strategic-merge-patch'],
    ]
    for (const [body, type, code, says] of cases) {
      const reply = await call(server, 'PATCH', `${DEPLOYMENTS}/web`, { body, type })
      expect([type, reply.code, reply.text]).toEqual([type, code, expect.stringContaining(says)])
    }
    expect(await server.store.revision()).toBe(revision)
  })

  it('/scale reads and writes replicas', async () => {
    await call(server, 'POST', DEPLOYMENTS, { body: deployment('web') })
    const scale = await call(server, 'GET', `${DEPLOYMENTS}/web/scale`)
    expect(scale.json()).toMatchObject({ kind: 'Scale', spec: { replicas: 2 }, status: { selector: 'app=web' } })
    const scaled = await call(server, 'PATCH', `${DEPLOYMENTS}/web/scale`, { body: { spec: { replicas: 6 } }, type: 'application/merge-patch+json' })
    expect(scaled.json()).toMatchObject({ spec: { replicas: 6 } })
    expect((await call(server, 'GET', `${DEPLOYMENTS}/web`)).object()).toMatchObject({ spec: { replicas: 6 }, metadata: { generation: 2 } })
  })

  it('concurrent patches all land', async () => {
    await call(server, 'POST', MAPS, { body: { metadata: { name: 'a' }, data: {} } })
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all(
      names.map((name) => call(server, 'PATCH', `${MAPS}/a`, { body: { data: { [name]: '1' } }, type: 'application/merge-patch+json' })),
    )
    expect(Object.keys((await call(server, 'GET', `${MAPS}/a`)).object()['data'] as object).toSorted()).toEqual(names)
  })
})

describe('delete', () => {
  it('a pod on a device stays until it is confirmed or forced; others go at once', async () => {
    await call(server, 'POST', PODS, { body: pod('free') })
    expect((await call(server, 'DELETE', `${PODS}/free`)).code).toBe(200)
    expect((await call(server, 'GET', `${PODS}/free`)).code).toBe(404)
    await call(server, 'POST', PODS, { body: pod('bound', { nodeName: 'gw-1', terminationGracePeriodSeconds: 7 }) })
    const marked = (await call(server, 'DELETE', `${PODS}/bound`, { body: { propagationPolicy: 'Background' } })).object()
    expect(marked.metadata.deletionGracePeriodSeconds).toBe(7)
    expect(marked.metadata.deletionTimestamp).toBeDefined()
    expect((await call(server, 'DELETE', `${PODS}/bound`)).object()).toEqual(marked)
    const forced = await call(server, 'DELETE', `${PODS}/bound`, { body: { gracePeriodSeconds: 0 } })
    expect(forced.json()).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'bound', uid: marked.metadata.uid } })
    expect((await call(server, 'GET', `${PODS}/bound`)).code).toBe(404)
  })

  it('finalizers hold an object until the last is gone', async () => {
    await call(server, 'POST', MAPS, { body: { metadata: { name: 'a', finalizers: ['example.com/x'] } } })
    expect((await call(server, 'DELETE', `${MAPS}/a`)).object().metadata.deletionTimestamp).toBeDefined()
    const last = await call(server, 'PATCH', `${MAPS}/a`, { body: { metadata: { finalizers: null } }, type: 'application/merge-patch+json' })
    expect(last.code).toBe(200)
    expect((await call(server, 'GET', `${MAPS}/a`)).code).toBe(404)
  })

  it('preconditions, dry run and policies', async () => {
    const made = (await call(server, 'POST', MAPS, { body: { metadata: { name: 'a' } } })).object()
    expect((await call(server, 'DELETE', `${MAPS}/a`, { body: { preconditions: { uid: 'other' } } })).code).toBe(409)
    expect((await call(server, 'DELETE', `${MAPS}/a?dryRun=All`)).code).toBe(200)
    expect((await call(server, 'DELETE', `${MAPS}/a`, { body: { propagationPolicy: 'Sideways' } })).text).toContain('propagationPolicy')
    expect((await call(server, 'DELETE', `${MAPS}/a`, { body: { gracePeriodSeconds: 'x' } })).text).toContain('gracePeriodSeconds')
    const orphaning = await call(server, 'DELETE', `${MAPS}/a`, { body: { propagationPolicy: 'Orphan', preconditions: { uid: made.metadata.uid } } })
    expect(orphaning.object().metadata.finalizers).toEqual(['orphan'])
    expect((await call(server, 'DELETE', `${MAPS}/missing`)).code).toBe(404)
  })

  it('a collection by selector', async () => {
    for (const [name, team] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
    ])
      await call(server, 'POST', MAPS, { body: { metadata: { name, labels: { team } } } })
    expect((await call(server, 'DELETE', `${MAPS}?labelSelector=team%3Dx`)).code).toBe(200)
    expect((await call(server, 'GET', MAPS)).json()).toMatchObject({ items: [{ metadata: { name: 'b' } }] })
  })

  it('evicts and binds pods', async () => {
    await call(server, 'POST', PODS, { body: pod('web') })
    expect((await call(server, 'POST', `${PODS}/web/binding`, { body: { target: { kind: 'Node', name: 'gw-1' } } })).code).toBe(201)
    const bound = (await call(server, 'GET', `${PODS}/web`)).object()
    expect(bound).toMatchObject({ spec: { nodeName: 'gw-1' }, status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } })
    expect((await call(server, 'POST', `${PODS}/web/binding`, { body: { target: { name: 'gw-2' } } })).code).toBe(409)
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web', namespace: 'default' } }
    expect((await call(server, 'POST', `${PODS}/web/eviction`, { body: eviction })).code).toBe(201)
    expect((await call(server, 'GET', `${PODS}/web`)).object().metadata.deletionTimestamp).toBeDefined()
    expect((await call(server, 'GET', `${PODS}/web/log`)).code).toBe(501)
  })
})

describe('who may', () => {
  it('asks for a token, except for health and version', async () => {
    for (const path of ['/version', '/livez', '/readyz', '/healthz']) expect((await call(server, 'GET', path, { token: null })).code).toBe(200)
    for (const token of [null, 'wrong']) {
      const reply = await call(server, 'GET', PODS, { token })
      expect([reply.code, reply.json()]).toEqual([401, expect.objectContaining({ kind: 'Status', reason: 'Unauthorized' })])
    }
    expect((await call(server, 'GET', PODS, { token: STRANGER })).code).toBe(403)
    expect((await call(server, 'POST', '/skerry/v1/join/gw-1', { token: STRANGER })).code).toBe(403)
    expect((await call(server, 'POST', '/skerry/v1/join/gw-1', { token: null })).code).toBe(401)
    expect((await call(server, 'POST', '/skerry/v1/join/gw-1')).json()).toEqual({ device: 'gw-1' })
    expect((await call(server, 'POST', '/skerry/v1/join/GW_1')).code).toBe(400)
    expect((await call(server, 'GET', '/console', { token: null })).text).toBe('console for nobody')
    expect((await call(server, 'GET', '/console')).text).toBe('console for admin')
    expect((await call(server, 'GET', '/nothing')).code).toBe(404)
  })

  it('never logs a token', async () => {
    await call(server, 'GET', `${PODS}?token=${ADMIN}`)
    await call(server, 'GET', PODS, { token: 'wrong-token-value' })
    expect(server.logged.filter((line) => line.startsWith('request'))).toHaveLength(2)
    expect(server.logged.join('\n')).not.toMatch(new RegExp(`${ADMIN}|wrong-token-value`))
  })
})
