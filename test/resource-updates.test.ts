import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../cloud/resources/object.ts'
import { admit, deployment, manifest, pod } from './fixtures/manifests.ts'

/** What an update of one object to another is refused for. */
function refusals(before: KubeObject, after: KubeObject): readonly string[] {
  return admit(after, admit(before).object).issues.map((issue) => issue.path)
}

const TOLERATION = { key: 'a', operator: 'Exists', effect: 'NoExecute' }
const secret = (fields: Readonly<Record<string, unknown>>) => manifest('v1', 'Secret', fields)
const node = (spec: object) => manifest('v1', 'Node', { spec })

describe('updates', () => {
  it.each<readonly [string, KubeObject, KubeObject, readonly string[]]>([
    ['nothing changed', pod({}), pod({}), []],
    ['an image', pod({}), pod({}, { image: 'nginx:2' }), []],
    ['an added toleration', pod({}), pod({ tolerations: [TOLERATION] }), []],
    ['seconds of a toleration', pod({ tolerations: [TOLERATION] }), pod({ tolerations: [{ ...TOLERATION, tolerationSeconds: 5 }] }), []],
    ['a removed toleration', pod({ tolerations: [TOLERATION] }), pod({}), ['spec.tolerations']],
    ['a changed toleration', pod({ tolerations: [TOLERATION] }), pod({ tolerations: [{ ...TOLERATION, key: 'b' }] }), ['spec.tolerations']],
    ['the device of a pod', pod({}), pod({ nodeName: 'gw' }), ['spec.nodeName']],
    ['a variable', pod({}), pod({}, { env: [{ name: 'A', value: 'b' }] }), ['spec.containers[0].env']],
    ['the name of a container', pod({}), pod({}, { name: 'other' }), ['spec.containers[0].name']],
    ['two fields', pod({}), pod({ restartPolicy: 'Never', hostNetwork: true }), ['spec.restartPolicy', 'spec.hostNetwork']],
    ['replicas', deployment(), deployment({ replicas: 5 }), []],
    ['a template', deployment(), deployment({}, { nodeSelector: { a: 'b' } }), []],
    ['a selector', deployment(), deployment({ selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }), ['spec.selector']],
    ['a name', manifest('v1', 'ConfigMap', {}), manifest('v1', 'ConfigMap', { metadata: { name: 'y' } }), ['metadata.name']],
    ['a uid', manifest('v1', 'ConfigMap', { metadata: { uid: '1' } }), manifest('v1', 'ConfigMap', { metadata: { uid: '2' } }), ['metadata.uid']],
    ['the type of a secret', secret({ type: 'a/b' }), secret({ type: 'c/d' }), ['type']],
    ['data of an immutable secret', secret({ immutable: true, data: { a: 'YQ==' } }), secret({ immutable: true, data: { a: 'Yg==' } }), ['data']],
    ['immutable taken back', secret({ immutable: true }), secret({}), ['immutable']],
    ['labels of an immutable secret', secret({ immutable: true }), secret({ immutable: true, metadata: { labels: { a: 'b' } } }), []],
    ['a CIDR of a node', node({ podCIDR: '10.0.0.0/24' }), node({ podCIDR: '10.0.1.0/24' }), ['spec.podCIDR']],
    ['taints of a node', node({}), node({ taints: [{ key: 'a', effect: 'NoSchedule' }] }), []],
  ])('%s', (_name, before, after, expected) => {
    expect(refusals(before, after)).toEqual(expected)
  })
})

describe('defaults', () => {
  it('a pod', () => {
    const { object } = admit(
      pod({}, { ports: [{ containerPort: 80 }], resources: { limits: { cpu: 1, memory: '64Mi' }, requests: { cpu: '500m' } } }),
    )
    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', namespace: 'default' },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'nginx:1.27',
            imagePullPolicy: 'IfNotPresent',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '500m', memory: '64Mi' } },
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        dnsPolicy: 'ClusterFirst',
        enableServiceLinks: true,
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: {},
        terminationGracePeriodSeconds: 30,
      },
      status: { phase: 'Pending', qosClass: 'Burstable' },
    })
  })

  it('a deployment', () => {
    const { object } = admit(deployment({}, { containers: [{ name: 'a', image: 'a', resources: { limits: { cpu: '1' } } }] }))
    expect(object).toMatchObject({
      spec: {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: { spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always', resources: { limits: { cpu: '1' } } }] } },
      },
    })
    // these two are given to pods only
    expect(object).not.toHaveProperty('spec.template.spec.enableServiceLinks')
    expect(object).not.toHaveProperty('spec.template.spec.containers[0].resources.requests')
  })

  it('a daemon set, a replica set, a namespace, a node', () => {
    const { selector, template } = deployment()['spec'] as { selector: object; template: object }
    expect(admit(manifest('apps/v1', 'DaemonSet', { spec: { selector, template } })).object).toMatchObject({
      spec: { revisionHistoryLimit: 10, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
    })
    expect(admit(manifest('apps/v1', 'ReplicaSet', { spec: { selector, template } })).object).toMatchObject({
      spec: { replicas: 1 },
      status: { replicas: 0 },
    })
    expect(admit(manifest('v1', 'Namespace', {})).object).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'x' } },
      status: { phase: 'Active' },
    })
    expect(admit(manifest('v1', 'Node', { status: { capacity: { cpu: '4' } } })).object).toMatchObject({ status: { allocatable: { cpu: '4' } } })
  })

  it('host ports in the host network', () => {
    const { object } = admit(pod({ hostNetwork: true }, { ports: [{ containerPort: 80 }] }))
    expect(object).toHaveProperty('spec.containers[0].ports[0].hostPort', 80)
  })

  it('secrets: text becomes base64 and wins over data', () => {
    const { object } = admit(secret({ data: { a: 'YQ==', b: 'Yg==' }, stringData: { a: 'ä€😀' } }))
    expect(object).toMatchObject({ type: 'Opaque', data: { a: Buffer.from('ä€😀').toString('base64'), b: 'Yg==' } })
    expect(object).not.toHaveProperty('stringData')
  })

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['host:5000/nginx', 'Always'],
    ['host:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    [`nginx:latest@sha256:${'a'.repeat(64)}`, 'Always'],
  ])('pull policy of %s', (image, policy) => {
    expect(admit(pod({}, { image })).object).toHaveProperty('spec.containers[0].imagePullPolicy', policy)
  })

  it.each([
    [{}, 'BestEffort'],
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1m' } }, 'Burstable'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ limits: { 'nvidia.com/gpu': '1' } }, 'BestEffort'],
  ])('service class of %j', (resources, expected) => {
    expect(admit(pod({}, { resources })).object).toHaveProperty('status.qosClass', expected)
  })
})
