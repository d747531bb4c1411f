import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../cloud/resources/object.ts'
import { CONTAINER, admit, deployment, manifest, ownerSpec, pod } from './fixtures/manifests.ts'

const limits = (values: object) => ({ resources: { limits: values } })
const daemonSet = (spec: Readonly<Record<string, unknown>>) => manifest('apps/v1', 'DaemonSet', { spec: ownerSpec(spec) })
const configMap = (fields: Readonly<Record<string, unknown>>) => manifest('v1', 'ConfigMap', fields)
const secret = (fields: Readonly<Record<string, unknown>>) => manifest('v1', 'Secret', fields)
const named = (kind: string, name: string) => manifest('v1', kind, { metadata: { name } })
const event = (namespace: string, about: object) => manifest('v1', 'Event', { metadata: { namespace }, involvedObject: about })

/** The paths and words of what is wrong. */
function faults(object: KubeObject, old: KubeObject | null = null): readonly string[] {
  return admit(object, old).issues.map((issue) => `${issue.path}: ${issue.message}`)
}

describe('rules: taken', () => {
  it.each([
    ['a pod', pod({})],
    [
      'a pod with all its quantities',
      pod(
        { resources: { limits: { pids: '100' } } },
        { resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: 1, memory: '1.5Gi', 'nvidia.com/gpu': 1 } } },
      ),
    ],
    ['a port in two protocols', pod({}, { ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] })],
    [
      'a host port in two protocols',
      pod(
        {},
        {
          ports: [
            { containerPort: 53, hostPort: 53 },
            { containerPort: 53, hostPort: 53, protocol: 'UDP' },
          ],
        },
      ),
    ],
    ['a pod that tolerates everything', pod({ tolerations: [{ operator: 'Exists' }] })],
    ['null fields', pod({ nodeName: null, tolerations: null }, { tty: null, ports: null })],
    ['a deployment', deployment()],
    ['a deployment that recreates', deployment({ strategy: { type: 'Recreate' } })],
    ['a daemon set that surges', daemonSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })],
    ['a name with dots', named('ConfigMap', 'a.b-c')],
    ['a secret of text', secret({ stringData: { user: 'ä€😀' } })],
    ['an event about a node', event('default', { kind: 'Node', name: 'gw' })],
  ])('%s', (_name, object) => {
    expect(faults(object)).toEqual([])
  })
})

describe('rules: refused', () => {
  it.each<readonly [string, KubeObject, RegExp]>([
    ['no name', manifest('v1', 'Pod', { metadata: { name: '' }, spec: { containers: [CONTAINER] } }), /^metadata\.name: is required/],
    ['a bad name', named('ConfigMap', 'A_b'), /^metadata\.name: "A_b" is not a valid name/],
    ['a node with dots', named('Node', 'gw.example.com'), /^metadata\.name: .*at most 63/],
    ['a namespace for a node', manifest('v1', 'Node', { metadata: { namespace: 'default' } }), /^metadata\.namespace: must not be set/],
    [
      'a bad finalizer',
      manifest('v1', 'ConfigMap', { metadata: { finalizers: ['mine'] } }),
      /^metadata\.finalizers\[0\]: "mine" must be a qualified name/,
    ],
    [
      'large annotations',
      manifest('v1', 'ConfigMap', { metadata: { annotations: { a: 'x'.repeat(262_144) } } }),
      /^metadata\.annotations: must be at most 262144 bytes in all, is 262145/,
    ],
    ['a bad label', manifest('v1', 'ConfigMap', { metadata: { labels: { a: '-x' } } }), /^metadata\.labels\["a"\]: "-x" is not valid/],
    ['an unknown field', pod({ replicas: 3 }), /^spec\.replicas: unknown field "spec\.replicas"/],
    ['a field of the wrong type', deployment({ replicas: '3' }), /^spec\.replicas: must be a whole number, is "3"/],
    ['a field not taken', pod({ ephemeralContainers: [] }), /^spec\.ephemeralContainers: an ephemeral container is not supported/],
    [
      'a kind of volume not taken',
      pod({ volumes: [{ name: 'v', emptyDir: {}, csi: {} }] }),
      /^spec\.volumes\[0\]\.csi: a CSI volume is not supported/,
    ],
    [
      'a volume of two kinds',
      pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
      /^spec\.volumes\[0\]: may not have more than one kind/,
    ],
    [
      'a host path that climbs',
      pod({ volumes: [{ name: 'v', hostPath: { path: '/data/../etc' } }] }),
      /^spec\.volumes\[0\]\.hostPath\.path: must not contain/,
    ],
    ['no containers', pod({ containers: [] }), /^spec\.containers: must have at least one container/],
    ['a container without image', pod({ containers: [{ name: 'a' }] }), /^spec\.containers\[0\]\.image: is required/],
    ['a digit first in a variable', pod({}, { env: [{ name: '1A' }] }), /^spec\.containers\[0\]\.env\[0\]\.name: "1A" is not valid/],
    [
      'a port twice',
      pod({}, { ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] }),
      /^spec\.containers\[0\]\.ports\[1\]: "80\/TCP" is there twice/,
    ],
    [
      'a port name twice',
      pod(
        {},
        {
          ports: [
            { containerPort: 80, name: 'a' },
            { containerPort: 81, name: 'a' },
          ],
        },
      ),
      /ports\[1\]\.name: "a" is there twice/,
    ],
    ['a long port name', pod({}, { ports: [{ containerPort: 80, name: 'sixteen-letters-x' }] }), /ports\[0\]\.name: .*at most 15/],
    [
      'a host port twice',
      pod(
        {},
        {
          ports: [
            { containerPort: 80, hostPort: 8080 },
            { containerPort: 81, hostPort: 8080 },
          ],
        },
      ),
      /ports\[1\]\.hostPort: "8080\/TCP" is there twice/,
    ],
    [
      'another host port in the host network',
      pod({ hostNetwork: true }, { ports: [{ containerPort: 80, hostPort: 81 }] }),
      /ports\[0\]\.hostPort: must equal containerPort \(80\)/,
    ],
    [
      'a request above its limit',
      pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1500m' } } }),
      /requests\["cpu"\]: must be at most the limit 1500m, is 2$/,
    ],
    ['part of a byte', pod({}, limits({ memory: '100m' })), /limits\["memory"\]: must be whole bytes, is 100m/],
    ['a negative amount', pod({}, limits({ cpu: '-1' })), /limits\["cpu"\]: must not be negative/],
    ['a wrong quantity', pod({}, limits({ cpu: 'lots' })), /limits\["cpu"\]: "lots" is not a quantity/],
    ['a resource nobody knows', pod({}, limits({ memroy: '1Gi' })), /"memroy" is not a resource/],
    ['half a GPU', pod({}, limits({ 'nvidia.com/gpu': '500m' })), /must be whole units, is 500m/],
    ['a shared GPU', pod({}, { resources: { requests: { 'nvidia.com/gpu': 1 } } }), /cannot be shared: set the same amount in limits/],
    [
      'PIDs of a container',
      pod({}, limits({ pids: 10 })),
      /limits\["pids"\]: PIDs are limited for the whole pod: write spec\.resources\.limits\.pids/,
    ],
    ['no PIDs', pod({ resources: { limits: { pids: 0 } } }), /^spec\.resources\.limits\["pids"\]: must be a whole number of at least 1, is 0/],
    ['half a PID', pod({ resources: { limits: { pids: '1500m' } } }), /whole number of at least 1, is 1500m/],
    ['cpu of the pod', pod({ resources: { limits: { cpu: 1 } } }), /^spec\.resources\.limits\["cpu"\]: set cpu on the container/],
    ['requested PIDs', pod({ resources: { requests: { pids: 1 } } }), /only limited, not requested/],
    ['a bad node selector', pod({ nodeSelector: { 'a b': 'c' } }), /^spec\.nodeSelector\["a b"\]: the key/],
    [
      'a toleration without key',
      pod({ tolerations: [{ effect: 'NoSchedule' }] }),
      /^spec\.tolerations\[0\]\.operator: must be "Exists" when key is empty/,
    ],
    [
      'a value that Exists does not take',
      pod({ tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] }),
      /tolerations\[0\]\.value: must be empty/,
    ],
    [
      'seconds without NoExecute',
      pod({ tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 3 }] }),
      /tolerations\[0\]\.effect: must be "NoExecute"/,
    ],
    ['two service accounts', pod({ serviceAccount: 'a', serviceAccountName: 'b' }), /^spec\.serviceAccount: is the old name/],
    [
      'a selector that misses its template',
      deployment({ selector: { matchLabels: { app: 'y' } } }),
      /^spec\.template\.metadata\.labels: must match spec\.selector/,
    ],
    ['an empty selector', deployment({ selector: {} }), /^spec\.selector: must not be empty/],
    [
      'In without values',
      deployment({ selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } }),
      /^spec\.selector\.matchExpressions\[0\]\.values: is required/,
    ],
    [
      'a template that ends',
      deployment({}, { restartPolicy: 'Never' }),
      /^spec\.template\.spec\.restartPolicy: must be "Always" for a Deployment, is "Never"/,
    ],
    [
      'a fault deep in a template',
      daemonSet({ template: { metadata: { labels: { app: 'x' } }, spec: { containers: [] } } }),
      /^spec\.template\.spec\.containers: must have at least one/,
    ],
    [
      'rolling settings for Recreate',
      deployment({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
      /^spec\.strategy\.rollingUpdate: must not be set/,
    ],
    [
      'a rollout that cannot move',
      deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }),
      /maxUnavailable: must not be 0 when maxSurge is 0/,
    ],
    ['more than all', deployment({ strategy: { rollingUpdate: { maxUnavailable: '101%' } } }), /maxUnavailable: must be at most 100%/],
    [
      'a wrong percentage',
      deployment({ strategy: { rollingUpdate: { maxSurge: 'half' } } }),
      /maxSurge: "half" must be a whole number or a percentage/,
    ],
    ['a deadline before ready', deployment({ minReadySeconds: 600 }), /^spec\.progressDeadlineSeconds: must be greater than minReadySeconds \(600\)/],
    [
      'a daemon set that surges and drops',
      daemonSet({ updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }),
      /maxSurge: must be 0 unless maxUnavailable is 0/,
    ],
    [
      'a taint twice',
      manifest('v1', 'Node', {
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', value: 'b', effect: 'NoSchedule' },
          ],
        },
      }),
      /^spec\.taints\[1\]: "a:NoSchedule" is there twice/,
    ],
    [
      'a bad taint key',
      manifest('v1', 'Node', { spec: { taints: [{ key: 'a b', effect: 'NoSchedule' }] } }),
      /^spec\.taints\[0\]\.key: "a b" is not valid/,
    ],
    ['a bad key of data', configMap({ data: { 'a/b': '' } }), /^data\["a\/b"\]: a key must be/],
    ['dots as a key', configMap({ data: { '..': '' } }), /^data\["\.\."\]: a key must be/],
    ['a key in both', configMap({ data: { a: '' }, binaryData: { a: '' } }), /^binaryData\["a"\]: the key is also in data/],
    ['too much data', configMap({ data: { a: 'x'.repeat(262_145) } }), /^data: must be at most 262144 bytes in all, is 262145/],
    ['a secret that is no base64', secret({ data: { a: 'pass word' } }), /^data\["a"\]: must be base64/],
    [
      'a TLS secret without key',
      secret({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } }),
      /^data\["tls\.key"\]: is required for type kubernetes\.io\/tls/,
    ],
    [
      'an event far from its object',
      event('default', { kind: 'Pod', name: 'a', namespace: 'other' }),
      /^involvedObject\.namespace: the event must be in the namespace "other"/,
    ],
  ])('%s', (_name, object, fault) => {
    expect(faults(object)).toEqual([expect.stringMatching(fault)])
  })

  it('a secret value is never in a message', () => {
    expect(faults(secret({ data: { a: 'hunter2 is the word' } })).join()).not.toContain('hunter2')
  })
})
