/** What the cloud sends beside the pods for their images. */
import { describe, expect, it } from 'vitest'
import { buildDesired, documentOf, nextRecord } from '../cloud/core/desired.ts'
import { imagesBeside, PREFETCH_ANNOTATION } from '../cloud/core/images-beside.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { Secret } from '../cloud/resources/secret.ts'
import { DESIRED_STATE, desiredDigest } from '../protocol/desired-state.ts'
import { parse } from '../protocol/shape.ts'

const pod = (secrets: readonly string[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { nodeName: 'gw-1', containers: [{ name: 'c', image: 'r.io/app:1' }], imagePullSecrets: secrets.map((name) => ({ name })) },
})
const secret = (json: unknown): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'default' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': btoa(JSON.stringify(json)) },
})
const login = (password: string): Secret => secret({ auths: { 'https://r.io/v1/': { auth: btoa(`user:${password}`) } } })

describe('images beside the pods', () => {
  it('carries only secrets that a pod here names', () => {
    const found = imagesBeside([pod(['s'])], (key) => (key === 'default/s' ? login('a:b') : undefined), [])
    expect(found).toEqual({ credentials: [{ secret: 'default/s', registry: 'r.io', username: 'user', password: 'a:b' }] })
    expect(imagesBeside([pod([])], () => login('x'), [])).toEqual({})
    for (const broken of [secret(null), secret({ auths: 3 }), secret({ auths: { 'r.io': 3 } }), secret({ auths: { 'r.io': { auth: '%' } } })])
      expect(imagesBeside([pod(['s'])], () => broken, [])).toEqual({})
  })

  it('changes the document with a new password, and no spec hash', () => {
    const build = (password: string): ReturnType<typeof buildDesired> => {
      const bound = [pod(['s'])]
      return buildDesired(
        bound,
        [],
        imagesBeside(bound, () => login(password), []),
      )
    }
    const [old, rotated] = [build('one'), build('two')]
    expect(rotated.pods).toEqual(old.pods)
    expect(rotated.digest).not.toBe(old.digest)
    const record = nextRecord(null, rotated, [], 1)
    const document = documentOf('gw-1', record ?? { epoch: 1, generation: 1, digest: '', uids: [], leftOut: {} }, rotated, '2026-01-01T00:00:00Z')
    const read = parse(DESIRED_STATE, JSON.parse(JSON.stringify(document)))
    expect(read.ok && desiredDigest(read.value.pods, read.value) === read.value.digest).toBe(true)
  })

  it('reads wishes, once each, with the template of the object', () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { annotations: { [PREFETCH_ANNOTATION]: 'r.io/b:1, template,r.io/a:1,, b ad' } },
    }
    expect(imagesBeside([], () => undefined, [{ object, templateImages: ['r.io/next:2', 'r.io/a:1'] }])).toEqual({
      prefetch: ['r.io/a:1', 'r.io/b:1', 'r.io/next:2'],
    })
  })
})
