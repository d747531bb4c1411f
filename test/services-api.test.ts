/** Services in the cloud: what is taken and refused, what kubectl prints, addresses, and the endpoints behind them. */
import { afterEach, describe, expect, it } from 'vitest'
import { movedPorts, takenBy, withAddresses } from '../cloud/core/service-address.ts'
import { endpointSlices, endpointsObject, endpointsOf } from '../cloud/core/service-endpoints.ts'
import type { Endpoints } from '../cloud/resources/endpoints.ts'
import type { EndpointSlice } from '../cloud/resources/endpoint-slice.ts'
import { resourceByKind } from '../cloud/resources/registry.ts'
import type { Event } from '../cloud/resources/event.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { Service } from '../cloud/resources/service.ts'
import { LIMITS } from '../protocol/limits.ts'
import { serviceAddress, serviceNetwork } from '../protocol/services.ts'
import { admit, manifest } from './fixtures/manifests.ts'
import { deployment, FakeFleet } from './fakes/fleet.ts'

const service = (spec: object, name = 'web'): Service => admit(manifest('v1', 'Service', { metadata: { name }, spec })).object as unknown as Service
const WEB = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }

function cells(object: KubeObject): readonly unknown[] {
  return resourceByKind(object.apiVersion, object.kind)?.cells(object, Date.parse('2026-01-01T00:00:00Z')) ?? []
}

interface PodFields {
  readonly name: string
  readonly ip?: string
  readonly ready?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly deleting?: boolean
  readonly phase?: 'Running' | 'Succeeded'
  readonly httpPort?: number
}

function pod({
  name,
  ip = '172.18.0.2',
  ready = true,
  labels = { app: 'web' },
  deleting = false,
  phase = 'Running',
  httpPort = 8080,
}: PodFields): Pod {
  const container = { name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: httpPort }] }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, labels, ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: 'gw-1', containers: [container] },
    status: { phase, podIP: ip, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}

describe('a Service', () => {
  it.each<readonly [string, object, string, RegExp]>([
    ['a load balancer', { ...WEB, type: 'LoadBalancer' }, 'spec.type', /use "NodePort"/],
    ['an outside name', { type: 'ExternalName', externalName: 'x.example' }, 'spec.type', /Endpoints with its address/],
    ['every device for a node port', { ...WEB, type: 'NodePort', externalTrafficPolicy: 'Cluster' }, 'spec.externalTrafficPolicy', /use "Local"/],
    ['UDP', { ports: [{ port: 53, protocol: 'UDP' }] }, 'spec.ports[0].protocol', /not forwarded/],
    ['IPv6', { ...WEB, ipFamilies: ['IPv6'] }, 'spec.ipFamilies', /IPv4/],
    ['outside addresses', { ...WEB, externalIPs: ['10.0.0.1'] }, 'spec.externalIPs', /NodePort/],
    ['an address of another cluster', { ...WEB, clusterIP: '10.96.0.1' }, 'spec.clusterIP', /198\.18\.0\.0\/15.*leave it out/],
    ['no port', { selector: { app: 'web' } }, 'spec.ports', /required/],
    ['ports without names', { ports: [{ port: 80 }, { port: 81 }] }, 'spec.ports[0].name', /several ports/],
    [
      'the same port twice',
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
      'spec.ports[1]',
      /twice/,
    ],
    ['a node port out of range', { ...WEB, type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }, 'spec.ports[0].nodePort', /30000 to 32767/],
  ])('is refused with %s', (_, spec, path, says) => {
    const { issues } = admit(manifest('v1', 'Service', { spec }))
    expect(issues.map((issue) => issue.path)).toContain(path)
    expect(issues.find((issue) => issue.path === path)?.message).toMatch(says)
  })

  it('gets the defaults of Kubernetes and prints as there', () => {
    expect(service(WEB).spec).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }],
    })
    const shown = withAddresses(service({ ...WEB, type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }), takenBy([], service(WEB)))
    expect(cells(shown).slice(0, 5)).toEqual(['web', 'NodePort', shown.spec.clusterIP, '<none>', '80:30080/TCP'])
    expect(cells(service({ clusterIP: 'None', selector: { app: 'db' } })).slice(1, 5)).toEqual(['ClusterIP', 'None', '<none>', '<none>'])
  })

  it('keeps its address, and loses its node port with the type', () => {
    const old = withAddresses(service({ ...WEB, type: 'NodePort' }), takenBy([], service(WEB)))
    const other = { ...old, spec: { ...old.spec, clusterIP: '198.18.0.1' } }
    expect(admit(other, old).issues[0]?.message).toMatch(/immutable/)
    const plain = admit({ ...old, spec: { ...old.spec, type: 'ClusterIP' } }).object as unknown as Service
    expect(plain.spec.ports).toEqual([{ port: 80, protocol: 'TCP', targetPort: 8080 }])
  })
})

describe('addresses', () => {
  it('are the first host of networks of four, and nothing else is one', () => {
    expect([serviceAddress(0), serviceAddress(64), serviceAddress(16_384)]).toEqual(['198.18.0.1', '198.18.1.1', '198.19.0.1'])
    expect(['198.18.0.5', '198.18.0.6', '198.20.0.1', '10.0.0.1', '198.18.0.257'].map(serviceNetwork)).toEqual([
      '198.18.0.4/30',
      null,
      null,
      null,
      null,
    ])
  })

  it('are never given twice, and a Service that is made again gets its own again', () => {
    const all: Service[] = []
    for (let index = 0; index < 400; index += 1) {
      const next = service({ ...WEB, type: 'NodePort' }, `s-${index}`)
      all.push(withAddresses(next, takenBy(all, next)))
    }
    expect(new Set(all.map(({ spec }) => spec.clusterIP)).size).toBe(400)
    expect(new Set(all.map(({ spec }) => spec.ports?.[0]?.nodePort)).size).toBe(400)
    const again = service({ ...WEB, type: 'NodePort' }, 's-7')
    expect(withAddresses(again, takenBy(all, again)).spec).toEqual(all[7]?.spec)
  })
})

describe('two Services that ask for one node port', () => {
  const asking = (name: string, creationTimestamp: string): Service => {
    const made = service({ ...WEB, type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }, name)
    return { ...made, metadata: { ...made.metadata, creationTimestamp } }
  }

  it('the older one keeps it, whichever is looked at first', () => {
    const older = asking('z-older', '2026-01-01T00:00:00Z')
    const younger = asking('a-younger', '2026-01-01T00:00:01Z')
    const both = [older, younger]
    const portOf = (one: Service): unknown => withAddresses(one, takenBy(both, one)).spec.ports?.[0]?.nodePort
    expect(portOf(older)).toBe(30_080)
    expect(portOf(younger)).not.toBe(30_080)
    expect(movedPorts(younger, withAddresses(younger, takenBy(both, younger))).map(({ asked }) => asked)).toEqual([30_080])
  })
})

describe('endpoints', () => {
  const pods = [
    pod({ name: 'b', ip: '172.18.0.3', ready: false }),
    pod({ name: 'a' }),
    pod({ name: 'going', ip: '172.18.0.4', deleting: true }),
    pod({ name: 'ended', ip: '172.18.0.5', phase: 'Succeeded' }),
    pod({ name: 'other', ip: '172.18.0.6', labels: { app: 'db' } }),
    pod({ name: 'unborn', ip: '' }),
  ]

  it('are the pods of the selector with an address, by readiness', () => {
    const found = endpointsOf(service(WEB), pods)
    const endpoints = endpointsObject(service(WEB), found)
    expect(endpoints.subsets).toMatchObject([{ addresses: [{ ip: '172.18.0.2', nodeName: 'gw-1' }], notReadyAddresses: [{ ip: '172.18.0.3' }] }])
    expect(cells(endpoints)[1]).toBe('172.18.0.2:8080')
    const [slice] = endpointSlices(service(WEB), found)
    expect(slice?.endpoints.map(({ addresses, conditions }) => [addresses[0], conditions?.ready, conditions?.terminating])).toEqual([
      ['172.18.0.2', true, false],
      ['172.18.0.3', false, false],
      ['172.18.0.4', false, true],
    ])
  })

  it('take named ports from each pod', () => {
    const named = service({ ...WEB, ports: [{ port: 80, targetPort: 'http' }] })
    const found = endpointsOf(named, [pod({ name: 'a' }), pod({ name: 'b', ip: '172.18.0.3', httpPort: 9090 })])
    expect(cells(endpointsObject(named, found))[1]).toBe('172.18.0.2:8080,172.18.0.3:9090')
    expect(endpointSlices(named, found).map(({ ports }) => ports?.[0]?.port)).toEqual([8080, 9090])
  })

  it('of a thousand pods lie in slices of a hundred at most, and one change moves one slice', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => pod({ name: `p-${index}`, ip: `10.0.${index >> 8}.${index & 255}` }))
    const slices = endpointSlices(service(WEB), endpointsOf(service(WEB), many))
    expect(slices.flatMap(({ endpoints }) => endpoints)).toHaveLength(1_000)
    expect(Math.max(...slices.map(({ endpoints }) => endpoints.length))).toBeLessThanOrEqual(100)
    const changed = endpointSlices(service(WEB), endpointsOf(service(WEB), [pod({ name: 'p-0', ip: '10.0.0.0', ready: false }), ...many.slice(1)]))
    expect(changed.filter((slice, index) => JSON.stringify(slice) !== JSON.stringify(slices[index]))).toHaveLength(1)
  })
})

describe('the controller', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())

  it('gives an address, keeps endpoints up to date, and takes them away with the Service', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    await fleet.create(service({ ports: [{ port: 80 }], selector: { app: 'web' } }))
    await fleet.create(deployment('web', 2, 'web:1'))
    await fleet.clock.advance(3_000)
    const [stored] = await fleet.list<Service>('services')
    expect(serviceNetwork(stored?.spec.clusterIP ?? '')).not.toBeNull()
    const addresses = async (): Promise<number> => ((await fleet.list<Endpoints>('endpoints'))[0]?.subsets?.[0]?.addresses ?? []).length
    expect(await addresses()).toBe(2)
    await fleet.edit('deployments.apps', 'web', (object) => Object.assign(object.spec, { replicas: 1 }))
    await fleet.clock.advance(5_000)
    expect(await addresses()).toBe(1)
    const cluster = fleet.store
    await cluster.delete('services', 'default', 'web', null)
    await fleet.clock.advance(1_000)
    expect([await fleet.list<Endpoints>('endpoints'), await fleet.list<EndpointSlice>('endpointslices.discovery.k8s.io')]).toEqual([[], []])
  })

  it('leaves Endpoints alone that somebody wrote for a Service without a selector', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.create(service({ ports: [{ port: 554 }] }, 'camera'))
    await fleet.create(
      manifest('v1', 'Endpoints', { metadata: { name: 'camera' }, subsets: [{ addresses: [{ ip: '192.168.1.9' }], ports: [{ port: 554 }] }] }),
    )
    await fleet.clock.advance(1_000)
    expect((await fleet.list<Endpoints>('endpoints')).map((one) => cells(one).slice(0, 2))).toEqual([['camera', '192.168.1.9:554']])
  })
})

describe('a document', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())
  const nodePort = { ...WEB, type: 'NodePort' }
  const onNode = (name: string): object => ({ nodeSelector: { 'kubernetes.io/hostname': name } })
  const place = async (name: string, device: string): Promise<void> => {
    const made = deployment(name, 1, 'web:1')
    const template = { metadata: { labels: { app: 'web', own: name } }, spec: { containers: [{ name: 'main', image: 'web:1' }], ...onNode(device) } }
    await fleet.create({ ...made, spec: { replicas: 1, selector: { matchLabels: { own: name } }, template } })
  }
  const label = (name: string, site: string): Promise<void> =>
    fleet.edit('nodes', name, (node) => Object.assign(node.metadata, { labels: { 'kubernetes.io/hostname': name, 'skerry.dev/site': site } }), '')

  it('brings the Services of the namespaces of its pods, and is sent anew when one changes', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1', 'gw-2')
    await place('one', 'gw-1')
    await fleet.create(service(WEB))
    await fleet.clock.advance(3_000)
    expect(fleet.device('gw-2').held?.services).toBeUndefined()
    expect(fleet.device('gw-1').held?.services).toMatchObject([
      { namespace: 'default', name: 'web', selector: { app: 'web' }, ports: [{ port: 80, target: 8080 }] },
    ])
    await fleet.edit('services', 'web', (object) => Object.assign(object.spec, { ports: [{ port: 81, targetPort: 'http', protocol: 'TCP' }] }))
    await fleet.clock.advance(1_000)
    expect(fleet.device('gw-1').held?.services?.[0]?.ports).toEqual([{ port: 81, target: 'http' }])
  })

  it('names the other devices of the site that have pods, and only for node ports', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1', 'gw-2', 'gw-3')
    for (const [name, device] of [
      ['one', 'gw-1'],
      ['two', 'gw-2'],
      ['three', 'gw-3'],
    ] as const)
      await place(name, device)
    await fleet.create(service(nodePort))
    await fleet.create(service(WEB, 'plain'))
    await fleet.clock.advance(3_000)
    const peers = (): unknown => fleet.device('gw-1').held?.services?.map((one) => [one.name, one.peers?.map(({ device }) => device)])
    expect(peers()).toEqual([
      ['plain', undefined],
      ['web', undefined],
    ])
    await label('gw-1', 'harbour')
    await label('gw-2', 'harbour')
    await label('gw-3', 'quarry')
    await fleet.clock.advance(1_000)
    expect(peers()).toEqual([
      ['plain', undefined],
      ['web', ['gw-2']],
    ])
    await fleet.edit('deployments.apps', 'two', (object) => Object.assign(object.spec, { replicas: 0 }))
    await fleet.clock.advance(3_000)
    expect(peers()).toEqual([
      ['plain', undefined],
      ['web', undefined],
    ])
  })

  it('has room for so many, those of its own pods first, and says which are left out', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    await place('one', 'gw-1')
    for (let index = 0; index < LIMITS.servicesPerDevice.value; index += 1)
      await fleet.create(service({ ...WEB, selector: { app: 'else' } }, `a-${index}`))
    await fleet.create(service(WEB, 'z-own'))
    await fleet.clock.advance(3_000)
    const held = fleet.device('gw-1').held?.services?.map(({ name }) => name) ?? []
    expect([held.length, held.includes('z-own')]).toEqual([LIMITS.servicesPerDevice.value, true])
    const told = (await fleet.list<Event>('events')).filter(({ reason }) => reason === 'NotOnDevice')
    const named = [...new Set(told.map(({ involvedObject }) => involvedObject.name ?? ''))]
    expect([named.length > 0, named.filter((name) => held.includes(name) && name === 'z-own')]).toEqual([true, []])
  })

  it('carries the addresses that somebody wrote for a Service without a selector', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    await place('one', 'gw-1')
    await fleet.create(service({ ports: [{ port: 554 }] }, 'camera'))
    await fleet.create(
      manifest('v1', 'Endpoints', { metadata: { name: 'camera' }, subsets: [{ addresses: [{ ip: '192.168.1.9' }], ports: [{ port: 8554 }] }] }),
    )
    await fleet.clock.advance(3_000)
    expect(fleet.device('gw-1').held?.services?.[0]?.outside).toEqual([{ address: '192.168.1.9', ports: [{ port: 8554 }] }])
  })
})
