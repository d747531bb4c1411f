/** Services as real kubectl binaries make, expose, read and change them. What controllers would write, the test writes. */
import { describe, expect, it } from 'vitest'
import { call } from '../fakes/api-server.ts'
import { kubectlBinaries, kubectlSuite } from './kubectl-runner.ts'

const WEB = `apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: "shop:1"}]}}}
`
const ENDPOINTS = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'web' },
  subsets: [{ addresses: [{ ip: '172.18.0.2' }], ports: [{ name: 'http', port: 8080 }] }],
}
const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-0', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['172.18.0.2'], conditions: { ready: true } }],
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
}

const binaries = kubectlBinaries()

describe.skipIf(binaries.length === 0).each(binaries)('%s', (binary) => {
  const { kubectl, ok } = kubectlSuite(binary)

  it('applies, prints, changes and describes a Service with its endpoints', async () => {
    await ok('apply -f -', /^service\/web created/, WEB)
    await ok('apply -f -', /^service\/web unchanged/, WEB)
    const given = { spec: { clusterIP: '198.18.0.5', clusterIPs: ['198.18.0.5'] } }
    await call(kubectl().server, 'PATCH', '/api/v1/namespaces/default/services/web', { body: given, type: 'application/merge-patch+json' })
    await ok('apply -f -', /^service\/web configured/, WEB.replace('port: 80,', 'port: 81,'))
    await ok('get svc web', /NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nweb +ClusterIP +198\.18\.0\.5 +<none> +81\/TCP /)
    await ok('get svc -o wide', /SELECTOR\nweb .* app=web/)
    await call(kubectl().server, 'POST', '/api/v1/namespaces/default/endpoints', { body: ENDPOINTS })
    await call(kubectl().server, 'POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { body: SLICE })
    await ok('get ep web', /NAME +ENDPOINTS +AGE\nweb +172\.18\.0\.2:8080 /)
    await ok('get endpointslices', /NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\nweb-0 +IPv4 +8080 +172\.18\.0\.2 /)
    await ok('describe svc web', /Selector: +app=web[\s\S]*Type: +ClusterIP[\s\S]*TargetPort: +8080\/TCP\nEndpoints: +172\.18\.0\.2:8080/)
    await ok('delete svc web', /service "web" deleted/)
  })

  it('exposes a Deployment', async () => {
    await ok('apply -f -', /created/, DEPLOYMENT)
    await ok('expose deployment shop --port=80 --type=NodePort', /service\/shop exposed/)
    await ok('get svc shop -o jsonpath={.spec.selector.app}/{.spec.ports[0].targetPort}/{.spec.externalTrafficPolicy}', /^shop\/80\/Local$/)
    await ok('patch svc shop -p {"spec":{"sessionAffinity":"ClientIP"}}', /service\/shop patched/)
    await ok('describe svc shop', /Session Affinity: +ClientIP/)
  })

  it('is told by name what devices cannot do', async () => {
    const ran = await kubectl().run('apply -f -', WEB.replace('spec: {', 'spec: {type: LoadBalancer, '))
    expect([ran.code, ran.err]).toEqual([1, expect.stringMatching(/spec\.type: .*"LoadBalancer" is not supported.*use "NodePort"/)])
  })
})
