import { topologyPicture } from '../protocol/topology-picture.ts'
import { describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import type { AgentState } from '../edge-agent/core/state.ts'
import { hostAllowed } from '../edge-agent/local-page/host-check.ts'
import { textView } from '../edge-agent/local-page/text-view.ts'
import { fieldView } from '../edge-agent/local-page/view.ts'
import { NOW, SECRET, container, gateway } from './fixtures/field-state.ts'

const NO_PLAN: AgentState['plan'] = { verdicts: [], waves: [], waitsFor: [], nextAtMonoMs: null }
const NOTHING: Partial<AgentState> = {
  knowledge: 'none',
  desired: null,
  floor: null,
  observed: null,
  inventory: null,
  ledger: {},
  refusals: [],
  plan: NO_PLAN,
}

const words = (state: AgentState): Record<string, string> => Object.fromEntries(fieldView(state, NOW).workloads.map((one) => [one.name, one.word]))

describe('field view', () => {
  it('says what runs and why the rest does not, trouble first', () => {
    const view = fieldView(gateway(), NOW)
    expect(view.headline.says).toBe('2 of 4 workloads need attention.')
    expect(view.workloads.map((one) => `${one.name} ${one.word} ${one.tone}`)).toEqual([
      'label-printer restarting bad',
      'vision-qc pending bad',
      'old-demo removing busy',
      'modbus-bridge running ok',
    ])
    expect(view.workloads[1]?.cause).toMatchObject({
      code: 'image.pull.failed',
      says: 'Image registry.local/vision-qc:4.2 could not be pulled: dial tcp 10.20.0.5:5000: connect: no route to host.',
      nextTryAtMs: NOW.wallMs + 95_000,
    })
  })

  it('shows how far an image is that is not here yet', () => {
    const pull = { attempt: 3, layersDone: 4, layersTotal: 7, bytesDone: 43_000_000, bytesTotal: 120_000_000, active: false }
    const view = fieldView(gateway({ pulls: { 'registry.local/vision-qc:4.2': pull } }), NOW)
    expect(view.workloads.map(({ pull: text }) => text)).toEqual(['', 'layer 5 of 7, 43 of 120 MB, attempt 3, resumes', '', ''])
    expect(textView(view)).toContain('layer 5 of 7')
  })

  it('says of a metered link how seldom it is tried', () => {
    const up = { link: { kind: 'up' as const, sinceWallMs: NOW.wallMs } }
    expect(fieldView(gateway(up), NOW).link.says).toBe('In contact')
    expect(fieldView(gateway({ ...up, linkOwn: { class: 'metered' } }), NOW).link.says).toMatch(/metered link, which is tried every 20 min/)
  })

  it.each([
    ['certificate has expired', 'link.certificate', /clock of this device, then the certificate/],
    ['connect ECONNREFUSED 10.0.0.1:8883', 'link.down', /Check the network/],
  ])('tells what to do about a link that is down: %s', (why, code, next) => {
    const { link } = fieldView(gateway({ link: { kind: 'down', sinceWallMs: NOW.wallMs, why, nextTryInMs: 1_000 } }), NOW)
    expect(link.cause).toMatchObject({ code, says: expect.stringContaining(why) as string })
    expect(link.cause?.next).toMatch(next)
    const again = fieldView(gateway({ link: { kind: 'connecting', after: { sinceWallMs: NOW.wallMs, why } } }), NOW).link
    expect([again.cause, again.says]).toEqual([link.cause, 'No contact, trying again'])
  })

  it('never shows environment values or commands', () => {
    const view = fieldView(gateway(), NOW)
    expect(JSON.stringify(view)).not.toContain(SECRET)
    expect(textView(view)).not.toContain(SECRET)
  })

  it('makes a page of an agent that knows nothing', () => {
    const view = fieldView(gateway(NOTHING), NOW)
    expect(view.workloads).toEqual([])
    expect(view.hardware).toBeNull()
    expect(view.headline.says).toBe('This device has not been given any work yet.')
    expect(textView(view)).toContain('none')
  })

  it('keeps what runs and says so when the saved state is unreadable', () => {
    const view = fieldView(gateway({ ...NOTHING, knowledge: 'unknown', observed: [container('modbus-bridge')] }), NOW)
    expect(view.headline.says).toContain('everything that runs is kept')
    expect(view.workloads).toMatchObject([{ name: 'modbus-bridge', word: 'running', tone: 'warn', cause: { code: 'desired.unknown' } }])
  })

  it('calls nothing running while the engine does not answer', () => {
    const why = cause('engine.unreachable', { since: '09:59', why: 'connect ENOENT' })
    const engine = { reachable: false, sinceWallMs: NOW.wallMs - 60_000, info: null, cause: why }
    const view = fieldView(gateway({ engine }), NOW)
    expect(view.headline).toMatchObject({ tone: 'bad', says: 'The container engine does not answer.' })
    expect(new Set(view.workloads.map((one) => one.word))).toEqual(new Set(['unknown']))
  })

  it('puts the worst true thing first', () => {
    expect(fieldView(gateway({ storage: cause('storage.degraded', { why: 'ENOSPC' }) }), NOW).headline.says).toContain('disk')
    expect(fieldView(gateway({ knowledge: 'loading' }), NOW).headline.tone).toBe('busy')
  })

  it('names a pull and a start while they happen', () => {
    const lane = { key: 'uid-vision-qc/main/aaaaaaaa', steps: [{ kind: 'ensure-image', key: 'k', image: 'i', policy: 'IfNotPresent' }] } as const
    const state = gateway({ plan: NO_PLAN, imageWaves: [{ id: 1, lanes: [lane], aborted: false }] })
    expect(words(state)).toMatchObject({ 'vision-qc': 'pulling', 'label-printer': 'restarting' })
  })

  it('says that the version before still runs while the new one is not there', () => {
    const state = gateway({ observed: [container('vision-qc', { specHash: 'b'.repeat(64) })] })
    expect(fieldView(state, NOW).workloads.find((one) => one.name === 'vision-qc')).toMatchObject({ word: 'pending', olderRuns: true })
  })

  it('counts a job that ended well as fine', () => {
    const base = gateway()
    const [first] = base.desired?.pods ?? []
    if (base.desired === null || first === undefined) throw new Error('the fixture has pods')
    const job = { ...first, spec: { ...first.spec, restartPolicy: 'Never' as const } }
    const ended = container('modbus-bridge', { state: 'exited', exitCode: 0 })
    const state = gateway({ desired: { ...base.desired, pods: [job] }, observed: [ended], plan: NO_PLAN })
    expect(fieldView(state, NOW).workloads).toMatchObject([{ word: 'stopped', tone: 'ok' }])
  })

  it('draws pinned cpus on their NUMA node', () => {
    const view = fieldView(gateway(), NOW)
    const owner = view.workloads.findIndex((one) => one.name === 'vision-qc')
    const facts = view.hardware?.topology
    if (facts === undefined) throw new Error('the fixture has an inventory')
    const [first, second] = topologyPicture(facts, 'diff')
    expect(second?.rects.filter(({ look, place }) => look.startsWith('cpu') && place === owner).map(({ says }) => says.split(',')[0])).toEqual([
      'CPU 8',
      'CPU 9',
      'CPU 10',
      'CPU 11',
    ])
    // it is wanted and does not run yet
    expect(topologyPicture(facts, 'now')[1]?.rects.filter(({ place }) => place === owner)).toEqual([])
    expect(second?.rects.find(({ says }) => says.startsWith('CPU 15,'))?.says).toBe('CPU 15, node 1; offline')
    expect(first?.distances).toBe('21 to node 1')
  })
})

describe('host check', () => {
  it('answers to addresses and own names only', () => {
    const own = ['192.168.10.5', '192.168.10.5:8090', '[fe80::1]:8090', 'localhost:1', 'gw-1', 'GW-1.local', 'gw-1.']
    const others = [undefined, '', 'evil.example', 'gw-1.evil.example', '192.168.10.5.evil.example', '[gw-1]', 'a@192.168.10.5', 'gw-1:x']
    expect(own.filter((host) => !hostAllowed(host, ['gw-1']))).toEqual([])
    expect(others.filter((host) => hostAllowed(host, ['gw-1']))).toEqual([])
  })
})
