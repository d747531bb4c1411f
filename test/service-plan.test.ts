/** What Services become on a device: networks, listeners with their backends, and the names in hosts files. */
import { describe, expect, it } from 'vitest'
import { plan as planOf } from '../edge-agent/core/plan.ts'
import { servicePlan } from '../edge-agent/core/service-plan.ts'
import type { Probes } from '../edge-agent/core/probe-model.ts'
import type { DesiredPod, ObservedContainer } from '../edge-agent/core/model.ts'
import { initialState } from '../edge-agent/core/initial-state.ts'
import { createChooser } from '../edge-agent/services/backends.ts'
import type { DesiredService } from '../protocol/services.ts'
import { LIMITS } from '../protocol/limits.ts'
import { DEVICE, desiredOf, found, fullHash, pod } from './agent-world.ts'

type Plan = NonNullable<ReturnType<typeof servicePlan>>

const WEB: DesiredService = {
  namespace: 'default',
  name: 'web',
  address: '198.18.0.5',
  ports: [{ port: 80, target: 8080 }],
  selector: { app: 'web' },
}

function web(uid: string, more: Partial<DesiredPod> = {}): DesiredPod {
  return { ...pod({ uid }), labels: { app: 'web' }, ...more }
}

function running(uid: string, ip: string | null, more: Partial<ObservedContainer> = {}): ObservedContainer {
  return { ...found({ pod: uid }), ip, ...more }
}

function withProbe(uid: string): DesiredPod {
  const made = web(uid)
  const [container] = made.spec.containers
  return container === undefined
    ? made
    : { ...made, spec: { ...made.spec, containers: [{ ...container, readinessProbe: { exec: { command: ['true'] } } }] } }
}

function plan(services: readonly DesiredService[], pods: readonly DesiredPod[], observed: readonly ObservedContainer[], probes: Probes = {}): Plan {
  const state = {
    ...initialState({ device: DEVICE, sid: 's', agentVersion: '0' }, { monoMs: 0, wallMs: 0 }),
    knowledge: 'known' as const,
    desired: { ...desiredOf(pods), services },
    observed,
    probes,
    local: { policy: {}, policyFile: 'policy.json', roots: null, networks: { hosts: '/state/hosts' } },
  }
  const made = servicePlan(state)
  if (made === null) throw new Error('no plan was made')
  return made
}

const targets = (made: Plan): unknown =>
  made.listeners.map(({ host, port, backends }) => [host, port, backends.map((one) => `${one.host}:${one.port}${one.near ? '' : ' far'}`)])
const hostsOf = (made: Plan, uid: string): readonly string[] =>
  made.hosts
    .find(({ podUid }) => podUid === uid)
    ?.text.split('\n')
    .filter((line) => line !== '' && !line.startsWith('#')) ?? []

describe('a plan', () => {
  it('is not made, and takes nothing away, before the desired state is known and the engine was looked at', () => {
    const state = {
      ...initialState({ device: DEVICE, sid: 's', agentVersion: '0' }, { monoMs: 0, wallMs: 0 }),
      local: { policy: {}, policyFile: '', roots: null, networks: { hosts: '/h' } },
    }
    expect(servicePlan({ ...state, knowledge: 'unknown' as const, observed: [running('a', '172.18.0.2')] })).toBeNull()
    expect(servicePlan({ ...state, knowledge: 'known' as const, desired: desiredOf([]), observed: null })).toBeNull()
  })

  it('has a network for each namespace in which something is wanted or left, and one for each address', () => {
    const made = plan(
      [WEB, { ...WEB, name: 'db', address: undefined as unknown as string }].map(({ address, ...rest }) =>
        address === undefined ? rest : { ...rest, address },
      ),
      [web('a')],
      [running('x', null, { namespace: 'old' })],
    )
    expect(made.networks).toEqual([
      { name: 'skerry-gw-1-default', of: 'default' },
      { name: 'skerry-gw-1-old', of: 'old' },
      { name: 'skerry-gw-1-default-service-web', address: '198.18.0.5', of: 'default/web' },
    ])
  })

  it('sends to pods that are desired, run and are ready', () => {
    const pods = [web('a'), withProbe('b'), web('c'), web('other', { labels: { app: 'db' } }), web('away', { namespace: 'else' })]
    const observed = [running('a', '172.18.0.2'), running('b', '172.18.0.3'), running('c', null, { state: 'exited' }), running('gone', '172.18.0.9')]
    expect(targets(plan([WEB], pods, observed))).toEqual([['198.18.0.5', 80, ['172.18.0.2:8080']]])
    const key = `b/app/${fullHash('a1').slice(0, 8)}`
    const ready = {
      [key]: {
        run: 'x',
        target: 'x',
        host: null,
        container: pods[1]?.spec.containers[0],
        sinceMonoMs: 0,
        states: {},
        started: true,
        ready: true,
        unhealthy: null,
        failing: {},
      },
    } as unknown as Probes
    expect(targets(plan([WEB], pods, observed, ready))).toEqual([['198.18.0.5', 80, ['172.18.0.2:8080', '172.18.0.3:8080']]])
    expect(targets(plan([{ ...WEB, notReady: true }], pods, observed))).toEqual([['198.18.0.5', 80, ['172.18.0.2:8080', '172.18.0.3:8080']]])
  })

  it('makes no container anew that an agent without networks made', () => {
    const { verdicts, waves } = planOf(
      {
        device: DEVICE,
        knowledge: 'known',
        desired: desiredOf([web('a')]),
        observed: [running('a', '172.17.0.2')],
        ledger: {},
        probes: {},
        inventory: null,
        adopted: [],
        local: { policy: {}, policyFile: 'policy.json', roots: null, networks: { hosts: '/state/hosts' } },
      },
      0,
    )
    expect([verdicts.map(({ kind }) => kind), waves]).toEqual([['keep'], []])
  })

  it('has no listener where nobody stands behind the port: it refuses, as in Kubernetes', () => {
    expect(targets(plan([WEB], [web('a')], []))).toEqual([])
  })

  it('takes the number of a named port from each pod, and the host address of a pod on its network', () => {
    const named = (uid: string, port: number): DesiredPod => ({
      ...web(uid),
      spec: { containers: [{ name: 'app', image: 'x:1', ports: [{ name: 'http', containerPort: port }] }] },
    })
    const onHost = { ...named('c', 82), spec: { ...named('c', 82).spec, hostNetwork: true } }
    const made = plan(
      [{ ...WEB, ports: [{ port: 80, target: 'http' }] }],
      [named('a', 80), named('b', 81), onHost, web('d')],
      [running('a', '172.18.0.2'), running('b', '172.18.0.3'), running('c', null), running('d', '172.18.0.4')],
    )
    expect(targets(made)).toEqual([['198.18.0.5', 80, ['172.18.0.2:80', '172.18.0.3:81', '127.0.0.1:82']]])
  })

  it('asks other devices of the site on their node port, and offers its own pods, never theirs, on its own', () => {
    const shared: DesiredService = { ...WEB, ports: [{ port: 80, target: 8080, nodePort: 30_080 }], peers: [{ device: 'gw-2', address: '10.0.0.2' }] }
    expect(targets(plan([shared], [web('a')], [running('a', '172.18.0.2')]))).toEqual([
      ['198.18.0.5', 80, ['172.18.0.2:8080', '10.0.0.2:30080 far']],
      [null, 30_080, ['172.18.0.2:8080']],
    ])
    expect(targets(plan([shared], [web('a')], []))).toEqual([['198.18.0.5', 80, ['10.0.0.2:30080 far']]])
    expect(targets(plan([{ ...shared, localOnly: true }], [web('a')], []))).toEqual([])
  })

  it('sends to addresses that somebody wrote', () => {
    const camera: DesiredService = {
      namespace: 'default',
      name: 'camera',
      address: '198.18.0.9',
      ports: [{ port: 554, target: 554 }],
      outside: [{ address: '192.168.1.9', ports: [{ port: 8554 }] }],
    }
    expect(targets(plan([camera], [web('a')], []))).toEqual([['198.18.0.9', 554, ['192.168.1.9:8554 far']]])
  })
})

describe('a hosts file', () => {
  const direct: DesiredService = { namespace: 'default', name: 'direct', ports: [], selector: { app: 'web' } }

  it('knows a Service by its four names, and one of another namespace by the three long ones', () => {
    const lines = hostsOf(
      plan([WEB, { ...WEB, namespace: 'else', name: 'far', address: '198.18.0.13' }], [web('a')], [running('a', '172.18.0.2')]),
      'a',
    )
    expect(lines).toEqual([
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      '172.18.0.2\ta',
      '198.18.0.5\tweb web.default web.default.svc web.default.svc.cluster.local',
      '198.18.0.13\tfar.else far.else.svc far.else.svc.cluster.local',
    ])
  })

  it('has the ready pods of a headless Service, each also by its own name', () => {
    const lines = hostsOf(
      plan([direct], [web('a'), withProbe('b'), web('c')], [running('a', '172.18.0.2'), running('b', '172.18.0.3'), running('c', '172.18.0.4')]),
      'a',
    )
    expect(lines.slice(3).map((line) => line.split(/\s/).slice(0, 2))).toEqual([
      ['172.18.0.2', 'direct'],
      ['172.18.0.4', 'direct'],
    ])
    expect(lines[4]).toContain(' c.direct.default.svc.cluster.local')
  })

  it('is there before the pod is, with its aliases, and not for the network of the host', () => {
    const aliased = { ...web('a'), spec: { ...web('a').spec, hostAliases: [{ ip: '10.1.2.3', hostnames: ['plc', 'plc.line'] }] } }
    const made = plan([WEB], [aliased, { ...web('b'), spec: { ...web('b').spec, hostNetwork: true } }], [])
    expect(made.hosts.map(({ podUid }) => podUid)).toEqual(['a'])
    expect(hostsOf(made, 'a')).toContain('10.1.2.3\tplc plc.line')
  })
})

describe('the choice of a backend', () => {
  const near = (port: number): { host: string; port: number; near: boolean } => ({ host: '172.18.0.2', port, near: true })
  const far = { host: '10.0.0.2', port: 30_080, near: false }
  const ports = (order: readonly { readonly port: number }[]): readonly number[] => order.map(({ port }) => port)

  it('goes round the pods of the device, with others last', () => {
    const chooser = createChooser()
    chooser.set([far, near(1), near(2)], null)
    const first = [chooser.order('c', 0), chooser.order('c', 0), chooser.order('c', 0)]
    expect(new Set(first.map((order) => order[0]?.port))).toEqual(new Set([1, 2]))
    expect(first.map((order) => order.at(-1)?.port)).toEqual([30_080, 30_080, 30_080])
  })

  it('asks one that refused last, for a while', () => {
    const chooser = createChooser()
    chooser.set([near(1), near(2), far], null)
    chooser.failed(near(1), 0)
    expect(ports(chooser.order('c', 1)).at(-1)).toBe(1)
    const later = [chooser.order('c', LIMITS.backendSkipMs.value + 1), chooser.order('c', LIMITS.backendSkipMs.value + 1)]
    expect(later.map((order) => order.at(-1)?.port)).toEqual([30_080, 30_080])
  })

  it('keeps a client with its backend while that lasts, and remembers no more clients than the table says', () => {
    const chooser = createChooser()
    chooser.set([near(1), near(2)], 60)
    chooser.took('c', near(2), 0)
    expect([0, 1, 2].map(() => chooser.order('c', 59_000)[0]?.port)).toEqual([2, 2, 2])
    chooser.failed(near(2), 0)
    expect(chooser.order('c', 1)[0]?.port).toBe(1)
    for (let client = 0; client < LIMITS.affinityClients.value; client += 1) chooser.took(`x-${client}`, near(1), 0)
    chooser.took('c', near(2), 0)
    chooser.set([near(1)], 60)
    expect(ports(chooser.order('c', 1))).toEqual([1])
  })
})
