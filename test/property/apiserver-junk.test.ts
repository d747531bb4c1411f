/** Whatever is sent, the API answers with a Status and never with 500; what was stored before is still readable. */
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, startApiServer } from '../fakes/api-server.ts'
import type { TestServer } from '../fakes/api-server.ts'

const ROOT = '/apis/apps/v1/namespaces/default/deployments'
const LABELS = { app: 'web' }
const WEB = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 1,
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
}

let server: TestServer
beforeAll(async () => {
  server = await startApiServer()
  await call(server, 'POST', ROOT, { body: WEB })
})
afterAll(async () => {
  await server.close()
})

/** names that the code under test looks for, so that junk gets past the first check */
const key = fc.oneof(
  fc.constantFrom('metadata', 'spec', 'status', 'name', 'namespace', 'labels', 'replicas', 'template', 'selector', 'containers', 'env'),
  fc.constantFrom('finalizers', 'kind', 'apiVersion', 'resourceVersion', 'uid', 'generateName', 'deleteOptions', 'target', 'preconditions'),
  fc.constantFrom('op', 'path', 'value', '$patch', '$retainKeys'),
  fc.string({ maxLength: 6 }),
)
const { junk } = fc.letrec<{ junk: unknown }>((tie) => ({
  junk: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'web', 'c', 'delete', '/spec/replicas', 'replace', 'add'),
    fc.array(tie('junk'), { maxLength: 3 }),
    fc.dictionary(key, tie('junk'), { maxKeys: 4 }),
  ),
}))

const path = fc.constantFrom(
  ROOT,
  `${ROOT}/web`,
  `${ROOT}/web/status`,
  `${ROOT}/web/scale`,
  '/api/v1/namespaces/default/pods',
  '/api/v1/namespaces/default/pods/web/eviction',
  '/api/v1/namespaces/default/pods/web/binding',
  '/api/v1/namespaces',
  '/api/v1/nodes',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
)
const media = fc
  .constantFrom('json', 'json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'yaml')
  .map((name) => `application/${name}`)
const query = fc.constantFrom('', '?dryRun=All', '?fieldValidation=Warn', '?fieldValidation=Ignore&fieldManager=x', '?limit=1&labelSelector=a')

function wellAnswered(reply: Awaited<ReturnType<typeof call>>): void {
  expect(reply.code).toBeLessThan(500)
  if (reply.code >= 400) expect(reply.json()).toMatchObject({ kind: 'Status', status: 'Failure', code: reply.code })
}

it('junk as a body', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('POST', 'PUT', 'PATCH'), path, query, media, junk, async (method, at, asked, type, body) => {
      wellAnswered(await call(server, method, at + asked, { body, type }))
      const stored = (await call(server, 'GET', `${ROOT}/web`)).object()
      expect(stored).toMatchObject({ kind: 'Deployment', metadata: { name: 'web' }, spec: { selector: { matchLabels: LABELS } } })
    }),
    { numRuns: 400 },
  )
})

it('junk inside a good object, and as delete options', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('metadata', 'spec', 'status', 'kind'), junk, async (field, value) => {
      wellAnswered(await call(server, 'PUT', `${ROOT}/web`, { body: { ...WEB, [field]: value } }))
      wellAnswered(await call(server, 'POST', `${ROOT}?dryRun=All`, { body: { ...WEB, [field]: value } }))
      wellAnswered(await call(server, 'DELETE', `${ROOT}/web?dryRun=All`, { body: value }))
    }),
    { numRuns: 200 },
  )
})

it('junk as a path', async () => {
  const known = fc.constantFrom(
    'api',
    'apis',
    'v1',
    'apps',
    'namespaces',
    'default',
    'pods',
    'deployments',
    'web',
    'scale',
    'openapi',
    'v3',
    '%ff',
    '..',
    '',
  )
  const segment = fc.oneof(known, fc.webSegment())
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS'), fc.array(segment, { maxLength: 7 }), async (method, segments) => {
      wellAnswered(await call(server, method, `/${segments.join('/')}?dryRun=All`))
    }),
    { numRuns: 300 },
  )
})
