/** Lists, tables, discovery and watches of the API, over a real server and a real store. */
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ADMIN, call, clock, startApiServer, watchLines } from './fakes/api-server.ts'
import type { TestServer } from './fakes/api-server.ts'
import type { Clock } from '../cloud/ports.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import { LIMITS } from '../protocol/limits.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'

interface List {
  readonly kind: string
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number }
  readonly items: readonly KubeObject[]
}

interface Aggregated {
  readonly metadata: { readonly name: string }
  readonly versions: readonly { readonly version: string; readonly resources: readonly { readonly resource: string }[] }[]
}

interface ResourceNames {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[]
}

let server: TestServer
beforeEach(async () => {
  server = await startApiServer()
})
afterEach(async () => {
  await server.close()
})

async function addMaps(...names: readonly string[]): Promise<void> {
  for (const name of names) await call(server, 'POST', MAPS, { body: { metadata: { name, labels: { first: name.slice(0, 1) } } } })
}

async function listNames(path: string): Promise<readonly (string | undefined)[]> {
  return ((await call(server, 'GET', path)).json() as List).items.map((item) => item.metadata.name)
}

function relabel(name: string, labels: object): ReturnType<typeof call> {
  return call(server, 'PATCH', `${MAPS}/${name}`, { body: { metadata: { labels } }, type: 'application/merge-patch+json' })
}

describe('lists', () => {
  it('pages come from one revision, with nothing lost or repeated', async () => {
    await addMaps('a', 'b', 'c', 'd', 'e')
    const first = (await call(server, 'GET', `${MAPS}?limit=2`)).json() as List
    expect(first).toMatchObject({ kind: 'ConfigMapList', metadata: { remainingItemCount: 3 } })
    await call(server, 'DELETE', `${MAPS}/d`)
    const seen = first.items.map((item) => item.metadata.name)
    let next = first.metadata.continue
    while (next !== undefined) {
      const page = (await call(server, 'GET', `${MAPS}?limit=2&continue=${encodeURIComponent(next)}`)).json() as List
      expect(page.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
      seen.push(...page.items.map((item) => item.metadata.name))
      next = page.metadata.continue
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
    const bad = await call(server, 'GET', `${MAPS}?limit=2&continue=rubbish`)
    expect([bad.code, bad.json()]).toEqual([410, expect.objectContaining({ reason: 'Expired' })])
  })

  it('label and field selectors', async () => {
    await addMaps('ant', 'ape', 'bee')
    expect(await listNames(`${MAPS}?labelSelector=first%3Da`)).toEqual(['ant', 'ape'])
    expect(await listNames(`${MAPS}?labelSelector=first!%3Da`)).toEqual(['bee'])
    expect(await listNames(`${MAPS}?labelSelector=first+in+(b,c),first`)).toEqual(['bee'])
    expect(await listNames(`${MAPS}?labelSelector=first+notin+(b),!second`)).toEqual(['ant', 'ape'])
    expect(await listNames(`${MAPS}?fieldSelector=metadata.name%3Dape`)).toEqual(['ape'])
    expect(await listNames(`${MAPS}?fieldSelector=metadata.name!%3Dape,metadata.namespace%3D%3Ddefault`)).toEqual(['ant', 'bee'])
    expect(await listNames(`/api/v1/configmaps?fieldSelector=metadata.name%3Dape`)).toEqual(['ape'])
    expect(await listNames(`${MAPS}?labelSelector=first%3Da&limit=1`)).toEqual(['ant'])
    const selectors = { 'labelSelector=a%3D%3D%3Db': 'label selector', 'fieldSelector=a': 'field selector', 'fieldSelector=spec.x%3Dy': 'spec.x' }
    for (const [query, says] of Object.entries({ ...selectors, 'limit=x': 'limit', 'watch=maybe': 'watch', 'includeObject=All': 'includeObject' })) {
      const reply = await call(server, 'GET', `${MAPS}?${query}`, { accept: TABLE })
      expect([reply.code, reply.text]).toEqual([400, expect.stringContaining(says)])
    }
  })

  it('long ones are compressed for those who can read it', async () => {
    for (const name of ['a', 'b']) await call(server, 'POST', MAPS, { body: { metadata: { name }, data: { text: 'x'.repeat(100_000) } } })
    const head = await fetch(`http://127.0.0.1:${server.port}${MAPS}`, { headers: { authorization: `Bearer ${ADMIN}` } })
    expect(head.headers.get('content-encoding')).toBe('gzip')
    expect(((await head.json()) as List).items).toHaveLength(2)
  })

  it('tables carry columns, cells and metadata', async () => {
    await addMaps('a')
    expect((await call(server, 'GET', MAPS, { accept: TABLE })).json()).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/) as string },
      columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
      rows: [
        {
          cells: ['a', 0, expect.any(String)],
          object: { kind: 'PartialObjectMetadata', metadata: { name: 'a', namespace: 'default', labels: { first: 'a' } } },
        },
      ],
    })
    const old = await call(server, 'GET', `${MAPS}/a?includeObject=Object`, { accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io' })
    expect(old.json()).toMatchObject({ apiVersion: 'meta.k8s.io/v1beta1', rows: [{ object: { kind: 'ConfigMap' } }] })
  })
})

describe('discovery', () => {
  it('tells the same in both forms, and serves what it tells', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
    const aggregated = await call(server, 'GET', '/apis', { accept })
    expect(aggregated.headers['content-type']).toContain('as=APIGroupDiscoveryList')
    const groups = (aggregated.json() as { items: Aggregated[] }).items
    const legacy = (await call(server, 'GET', '/apis')).json() as { groups: { name: string }[] }
    expect(groups.map((group) => group.metadata.name)).toEqual(legacy.groups.map((group) => group.name))
    for (const { metadata, versions } of groups) {
      const root = `/apis/${metadata.name}/${versions[0]?.version ?? ''}`
      const { resources } = (await call(server, 'GET', root)).json() as ResourceNames
      expect(resources.map((item) => item.name).filter((name) => !name.includes('/'))).toEqual(versions[0]?.resources.map((item) => item.resource))
      for (const item of resources.filter((one) => one.verbs.includes('list')))
        expect((await call(server, 'GET', `${root}/${item.name}`)).code).toBe(200)
    }
    const core = ((await call(server, 'GET', '/api/v1')).json() as ResourceNames).resources.map((item) => item.name)
    expect(core).toEqual(expect.arrayContaining(['pods', 'pods/status', 'pods/eviction', 'nodes', 'namespaces', 'configmaps', 'secrets', 'events']))
  })

  it('OpenAPI: an empty v2, and v3 documents that promise field validation', async () => {
    const v2 = await call(server, 'GET', '/openapi/v2')
    expect([v2.code, v2.text]).toEqual([200, ''])
    const index = (await call(server, 'GET', '/openapi/v3')).json() as { paths: Record<string, { serverRelativeURL: string }> }
    const document = await call(server, 'GET', index.paths['apis/apps/v1']?.serverRelativeURL ?? '')
    expect(document.json()).toMatchObject({
      paths: {
        '/apis/apps/v1/namespaces/{namespace}/deployments/{name}': {
          patch: {
            'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
            parameters: [{ name: 'dryRun' }, {}, { name: 'fieldValidation' }],
          },
        },
      },
    })
  })

  it('unknown paths and methods are Status errors', async () => {
    const deep = '/apis/apps/v1/namespaces/default/deployments/a/b/c'
    for (const path of ['/apis/nothing', '/apis/apps/v2', '/api/v1/unicorns', deep, '/api/v1/deployments/x', '/api/v1/pods/x', '/api/v1/%ff']) {
      const reply = await call(server, 'GET', path)
      expect([path, reply.code, reply.json()]).toEqual([path, 404, expect.objectContaining({ kind: 'Status' })])
    }
    expect((await call(server, 'PUT', MAPS, { body: {} })).code).toBe(405)
    expect((await call(server, 'GET', '/version')).json()).toMatchObject({ gitVersion: expect.stringMatching(/^v1\.\d+\.\d+\+skerry/) as string })
  })
})

describe('watch', () => {
  it('starts with what there is, then each change once', async () => {
    await addMaps('a')
    const watch = await watchLines(server, `${MAPS}?watch=true`)
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } })
    await addMaps('b')
    await relabel('b', { x: 'y' })
    await call(server, 'DELETE', `${MAPS}/b`)
    const types = [await watch.next(), await watch.next(), await watch.next()].map((event) => `${event.type} ${event.object.metadata.name ?? ''}`)
    expect(types).toEqual(['ADDED b', 'MODIFIED b', 'DELETED b'])
    watch.stop()
  })

  it('from a revision: only what came after; from one that is gone: 410', async () => {
    await addMaps('a')
    const list = (await call(server, 'GET', MAPS)).json() as List
    await addMaps('b')
    const watch = await watchLines(server, `${MAPS}?watch=1&resourceVersion=${list.metadata.resourceVersion}`)
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b' } } })
    watch.stop()
    const future = await watchLines(server, `${MAPS}?watch=True&resourceVersion=999999`)
    expect(await future.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    await future.ended
  })

  it('a selector turns changes into adds and deletes', async () => {
    await addMaps('a')
    const watch = await watchLines(server, `${MAPS}?watch=true&labelSelector=on%3Dyes`)
    await relabel('a', { on: 'yes' })
    await relabel('a', { more: '1' })
    await relabel('a', { on: 'no' })
    await relabel('a', { more: '2' })
    await relabel('a', { on: 'yes' })
    const types = [await watch.next(), await watch.next(), await watch.next(), await watch.next()].map((event) => event.type)
    expect(types).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'ADDED'])
    watch.stop()
  })

  it('one object, one namespace, and tables', async () => {
    await call(server, 'POST', '/api/v1/namespaces', { body: { metadata: { name: 'other' } } })
    const one = await watchLines(server, `${MAPS}?watch=true&fieldSelector=metadata.name%3Db`)
    const table = await watchLines(server, `${MAPS}?watch=true`, TABLE)
    await call(server, 'POST', '/api/v1/namespaces/other/configmaps', { body: { metadata: { name: 'b' } } })
    await addMaps('a', 'b')
    expect(await one.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b', namespace: 'default' } } })
    const age: unknown = expect.any(String)
    const columnDefinitions = [{ name: 'Name' }, {}, {}]
    expect(await table.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions, rows: [{ cells: ['a', 0, age] }] } })
    expect(await table.next()).toMatchObject({ object: { columnDefinitions: null, rows: [{ cells: ['b', 0, age] }] } })
    one.stop()
    table.stop()
  })

  it('ends after timeoutSeconds, and marks the end of the initial objects when asked', async () => {
    await addMaps('a')
    const asked = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1'
    const watch = await watchLines(server, `${MAPS}?watch=true&${asked}`)
    expect((await watch.next()).type).toBe('ADDED')
    expect(await watch.next()).toMatchObject({ type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } })
    await watch.ended
  })

  it('a pod that is marked for deletion is MODIFIED, then DELETED', async () => {
    await call(server, 'POST', PODS, { body: { metadata: { name: 'p' }, spec: { nodeName: 'gw-1', containers: [{ name: 'c', image: 'i' }] } } })
    const watch = await watchLines(server, `${PODS}?watch=true&fieldSelector=spec.nodeName%3Dgw-1`)
    await watch.next()
    await call(server, 'DELETE', `${PODS}/p`)
    await call(server, 'DELETE', `${PODS}/p?gracePeriodSeconds=0`)
    expect([(await watch.next()).type, (await watch.next()).type]).toEqual(['MODIFIED', 'DELETED'])
    watch.stop()
  })

  it('bookmarks tell an idle watcher the revision of other kinds too', async () => {
    const timers: { readonly ms: number; readonly run: () => void }[] = []
    const held: Clock = {
      ...clock,
      after(ms, run) {
        timers.push({ ms, run })
        return () => undefined
      },
    }
    const slow = await startApiServer(held)
    try {
      const watch = await watchLines(slow, `${MAPS}?watch=true&allowWatchBookmarks=true`)
      await call(slow, 'POST', '/api/v1/namespaces', { body: { metadata: { name: 'elsewhere' } } })
      timers.find((timer) => timer.ms === LIMITS.watchBookmarkMs.value)?.run()
      const { type, object } = await watch.next()
      expect([type, object.metadata.resourceVersion]).toEqual(['BOOKMARK', String(await slow.store.revision())])
      watch.stop()
    } finally {
      await slow.close()
    }
  })

  it('a client that does not read is cut off; one that reads sees everything', async () => {
    const stuck = connect(server.port, '127.0.0.1')
    stuck.on('error', () => undefined)
    stuck.write(`GET ${MAPS}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN}\r\n\r\n`)
    stuck.pause()
    const reading = await watchLines(server, `${MAPS}?watch=true`)
    const data = { text: 'x'.repeat(200_000) }
    let last = 0
    for (let round = 0; !server.logged.some((line) => line.startsWith('watch closed')) && round < 500; round += 1) {
      await call(server, 'POST', MAPS, { body: { metadata: { name: `m${round}` }, data } })
      last = round
    }
    expect(server.logged.filter((line) => line.startsWith('watch closed'))).toHaveLength(1)
    for (let round = 0; round <= last; round += 1) expect((await reading.next()).object.metadata.name).toBe(`m${round}`)
    reading.stop()
    stuck.destroy()
  })
})
