/** Alert rules and dashboard speak of metrics that are there: in a scrape of the built cloud and of the built agent. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { METRICS } from '../../cloud/core/metric-table.ts'
import { AGENT_METRICS } from '../../edge-agent/local-page/metric-table.ts'
import type { MetricDefinition } from '../../protocol/exposition.ts'
import { topicOf } from '../../protocol/topics.ts'
import { AGENT_BUNDLE, ROOT } from '../../scripts/build-agent.ts'
import { CloudApi } from '../../scripts/fleet/cloud-api.ts'
import { DAEMON_SETS, daemonSet } from '../../scripts/fleet/daemon-set.ts'
import { rolloutOfFleet, ROLLOUTS } from '../../scripts/fleet/rollout.ts'
import { freePort } from '../../scripts/quickstart/free-port.ts'
import { Child } from '../../scripts/testbed/child.ts'
import { createCloud } from '../../scripts/testbed/cloud-process.ts'
import type { CloudProcess } from '../../scripts/testbed/cloud-process.ts'
import { pinnedNode } from '../../scripts/testbed/pinned-node.ts'
import { eventually } from '../../scripts/testbed/testbed.ts'
import { readExposition } from '../fakes/exposition.ts'
import type { Exposition } from '../fakes/exposition.ts'
import { buildOnce } from './build-once.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const FOLDER = path.join(ROOT, 'cloud', 'observability')
const RULES = (
  parse(readFileSync(path.join(FOLDER, 'alerts.yml'), 'utf8')) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
).groups.flatMap(({ rules }) => rules)
const PANELS = (
  JSON.parse(readFileSync(path.join(FOLDER, 'dashboard.json'), 'utf8')) as {
    readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
  }
).panels
const EXPRESSIONS = [
  ...RULES.map(({ alert, expr }) => [alert, expr] as const),
  ...PANELS.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
]

/** metrics with the label matchers that stand behind them */
function metricsOf(expr: string): readonly { readonly name: string; readonly matchers: readonly (readonly [string, string, string])[] }[] {
  return [...expr.matchAll(/\b((?:skerry|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(([, name = '', inside = '']) => ({
    name,
    matchers: [...inside.matchAll(/([a-z_]+)\s*(=~|=|!=|!~)\s*"([^"]*)"/g)].map(
      ([, label = '', how = '', value = '']) => [label, how, value] as const,
    ),
  }))
}

let dir = ''
let cloud: CloudProcess
let agent: Child
let page = 0
let ofCloud: Exposition
let ofAgent: Exposition

beforeAll(async () => {
  await buildOnce()
  dir = mkdtempSync(path.join(tmpdir(), 'skerry-observed-'))
  cloud = await createCloud(dir)
  cloud.child.start()
  await cloud.ready()
  const api = new CloudApi(cloud)
  page = await freePort(0)
  const join = (await api.call('POST', '/skerry/v1/join/gw-1')) as { readonly password: string }
  mkdirSync(path.join(dir, 'agent'))
  writeFileSync(path.join(dir, 'join.json'), JSON.stringify({ ...join, broker: `mqtt://127.0.0.1:${cloud.ports.mqtt}` }), { mode: 0o600 })
  const flags = ['run', '--state', path.join(dir, 'agent'), '--join', path.join(dir, 'join.json'), '--docker', path.join(dir, 'no-engine.sock')]
  agent = new Child('agent', [pinnedNode(), AGENT_BUNDLE, ...flags, '--page', `127.0.0.1:${page}`], path.join(dir, 'agent.log'))
  // before the agent is there: they have one name, and the broker lets one of them be
  await provoke(join.password)
  agent.start()
  await api.call('POST', DAEMON_SETS, daemonSet('busybox:1'))
  // no device may be there yet: it begins when one comes, and shows its one member as it stands
  await api.call('POST', ROLLOUTS, rolloutOfFleet(1, 'busybox:2'))
  await eventually('the device shows its workload, and that its engine is away', async () => {
    ofAgent = readExposition(await (await fetch(`http://127.0.0.1:${page}/metrics`)).text())
    const told = ['skerry_workload_state', 'skerry_agent_cause_active'].filter((name) => ofAgent.value(name, {}) === null)
    return told.length === 0 ? null : `not yet: ${told.join(', ')}`
  })
  await eventually('the cloud counts it', async () => {
    ofCloud = await api.metrics()
    const told = [['skerry_workload_instances', { workload: 'DaemonSet/app' }] as const, ['skerry_rollout_devices', { rollout: 'app-2' }] as const]
    const missing = told.filter(([name, labels]) => ofCloud.value(name, labels) === null)
    return missing.length === 0 ? null : `not yet: ${missing.map(([name]) => name).join(', ')}`
  })
})

/** What alerts are about has to happen once: a wrong password, and a message that is not as agreed. */
async function provoke(password: string): Promise<void> {
  const url = `mqtt://127.0.0.1:${cloud.ports.mqtt}`
  await expect(connectAsync(url, { clientId: 'gw-2', username: 'gw-2', password: 'wrong', reconnectPeriod: 0, protocolVersion: 4 })).rejects.toThrow()
  const client = await connectAsync(url, { clientId: 'gw-1', username: 'gw-1', password, reconnectPeriod: 0, protocolVersion: 4 })
  await client.publishAsync(topicOf('default', 'gw-1', 'status'), 'not a report', { qos: 1 })
  await client.endAsync(true)
}

afterAll(async () => {
  await agent.stop()
  await cloud.child.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('alert rules and dashboard', () => {
  it('name only metrics that a running cloud or device has', () => {
    const has = (name: string): boolean => [...ofCloud.samples, ...ofAgent.samples].some((sample) => sample.name === name)
    const missing = EXPRESSIONS.flatMap(([where, expr]) =>
      metricsOf(expr)
        // of hardware that this machine need not have: what is told of it is shown by test/agent-metrics.test.ts
        .filter(({ name }) => !has(name) && !(name.startsWith('skerry_gpu_') && Object.hasOwn(AGENT_METRICS, name)))
        .map(({ name }) => `${where}: ${name}`),
    )
    expect(missing).toEqual([])
    expect(EXPRESSIONS.flatMap(([, expr]) => metricsOf(expr)).length).toBeGreaterThan(50)
  })

  it('ask only for labels and words that these metrics can have', () => {
    const table: Readonly<Record<string, MetricDefinition>> = { ...METRICS, ...AGENT_METRICS }
    for (const [where, expr] of EXPRESSIONS) {
      for (const { name, matchers } of metricsOf(expr)) {
        const { labels = {} } = table[name] ?? table[name.replace(/_(bucket|sum|count)$/, '')] ?? {}
        for (const [label, how, value] of matchers) {
          if (label === 'instance' || label === 'job') continue
          expect(Object.keys(labels), `${where}: ${name}`).toContain(label)
          const bound = labels[label]
          const words = how.includes('~') ? value.split('|') : [value]
          if (bound !== undefined && !('max' in bound)) for (const word of words) expect(bound, `${where}: ${name}{${label}}`).toContain(word)
        }
      }
    }
  })

  it('tell a person what is wrong and what to do', () => {
    for (const { alert, labels, annotations } of RULES) {
      expect(alert).toMatch(/^Skerry[A-Za-z]+$/)
      expect(['critical', 'warning', 'info'], alert).toContain(labels['severity'])
      expect([(annotations['summary'] ?? '').length > 20, (annotations['description'] ?? '').length > 30], alert).toEqual([true, true])
    }
    expect(new Set(RULES.map(({ alert }) => alert)).size).toBe(RULES.length)
  })
})

describe('/metrics and health of the cloud', () => {
  const ask = (where: string, token?: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${cloud.ports.http}${where}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })

  it('needs a token, and the metrics token opens nothing else', async () => {
    const token = readFileSync(path.join(dir, 'cloud', 'metrics-token'), 'utf8').trim()
    expect((await ask('/metrics')).status).toBe(401)
    expect((await ask('/metrics', 'wrong')).status).toBe(401)
    expect((await ask('/metrics', token)).status).toBe(200)
    const closed = await Promise.all(
      ['/api/v1/secrets', '/console/api/snapshot', '/skerry/v1/join/gw-9', '/skerry/v1/why/default/x', '/openapi/v3'].map((where) =>
        ask(where, token),
      ),
    )
    expect(closed.map(({ status }) => [401, 403].includes(status))).toEqual(closed.map(() => true))
  })

  it('names no device and holds no secret', async () => {
    const text = await (await ask('/metrics', cloud.token())).text()
    expect(text).not.toContain('gw-1')
    expect(text).not.toContain(cloud.token())
  })

  it('says which part is not ready, and stays alive without a broker', async () => {
    expect(await (await ask('/readyz?verbose')).text()).toContain('[+]broker ok')
    const lonely = await createCloud(path.join(dir, 'lonely'), { url: 'mqtt://127.0.0.1:9', username: '', password: '' })
    lonely.child.start()
    try {
      const at = (where: string): Promise<Response> => fetch(`http://127.0.0.1:${lonely.ports.http}${where}`)
      await eventually('it answers', async () => ((await at('/livez')).ok ? null : 'no answer'))
      const ready = await at('/readyz?verbose')
      expect([ready.status, (await ready.text()).includes('[-]broker failed: no connection to the broker')]).toEqual([503, true])
      expect((await at('/readyz?exclude=broker')).status).toBe(200)
      expect((await at('/livez')).status).toBe(200)
    } finally {
      await lonely.child.stop()
    }
  })
})

describe('health of the device', () => {
  it('does not depend on the cloud, and says that the engine is away', async () => {
    const at = (where: string): Promise<Response> => fetch(`http://127.0.0.1:${page}${where}`)
    expect((await at('/livez')).status).toBe(200)
    const ready = await at('/readyz?verbose')
    expect([ready.status, await ready.text()]).toEqual([503, '[+]state ok\n[-]engine failed\n[+]storage ok\n'])
  })
})
