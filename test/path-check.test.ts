import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import type { LinkState } from '../edge-agent/core/state.ts'
import { checkPath } from '../edge-agent/path-check/check-path.ts'
import type { PathCheckOptions } from '../edge-agent/path-check/check-path.ts'
import type { HostReader } from '../edge-agent/ports.ts'

const ROUTES =
  'Iface Destination Gateway Flags RefCnt Use Metric Mask\neth0 00000000 010AA8C0 0003 0 0 100 00000000 0 0 0\neth0 000AA8C0 00000000 0001 0 0 0 00FFFFFF'

function host(files: Readonly<Record<string, string>>): HostReader {
  return {
    read: (path) => Promise.resolve(files[path] ?? null),
    list: (path) =>
      Promise.resolve([
        ...new Set(
          Object.keys(files)
            .filter((file) => file.startsWith(`${path}/`))
            .map((file) => file.slice(path.length + 1).split('/')[0] ?? ''),
        ),
      ]),
    link: () => Promise.resolve(null),
  }
}

const GOOD = {
  '/sys/class/net/eth0/carrier': '1\n',
  '/sys/class/net/eth0/device/vendor': 'x',
  '/sys/class/net/docker0/carrier': '0\n',
  '/proc/net/route': ROUTES,
}

async function check(files: Readonly<Record<string, string>>, more: Partial<PathCheckOptions> = {}) {
  const steps = await checkPath({
    reader: host(files),
    clock: { now: () => ({ monoMs: performance.now(), wallMs: Date.parse('2026-06-01T00:00:00Z') }), at: () => () => undefined },
    broker: 'mqtt://127.0.0.1:1',
    addresses: () => [{ interface: 'eth0', address: '192.168.10.5' }],
    proxies: [],
    link: (): LinkState => ({ kind: 'down', sinceWallMs: 0, why: 'Not authorized', nextTryInMs: 1 }),
    surelyPastMs: () => Date.parse('2026-01-01T00:00:00Z'),
    ...more,
  })
  return Object.fromEntries(steps.map((step) => [step.name, step]))
}

it('finds the way whole up to a broker that says no', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const steps = await check(GOOD, { broker: `mqtt://127.0.0.1:${port}` })
  server.close()
  expect(Object.values(steps).map((step) => [step.name, step.result])).toEqual([
    ['cable', 'ok'],
    ['address', 'ok'],
    ['router', 'ok'],
    ['dns', 'ok'],
    ['clock', 'ok'],
    ['proxy', 'ok'],
    ['tcp', 'ok'],
    ['tls', 'ok'],
    ['broker', 'failed'],
  ])
  expect(steps['router']?.says).toContain('192.168.10.1 by eth0')
  expect(steps['broker']).toMatchObject({ says: expect.stringContaining('Not authorized'), next: expect.stringContaining('join file') })
})

it('names what is broken, with one thing to do, and calls the rest unknown', async () => {
  const cut = await check(
    { '/sys/class/net/eth0/carrier': '0', '/sys/class/net/eth0/device/vendor': 'x' },
    { addresses: () => [{ interface: 'eth0', address: '169.254.3.4' }] },
  )
  expect(cut['cable']).toMatchObject({ result: 'failed', next: expect.stringContaining('cable') })
  expect(cut['address']).toMatchObject({ result: 'failed', next: expect.stringContaining('DHCP') })
  expect(cut['router']?.result).toBe('unknown')
  expect(cut['tcp']).toMatchObject({ result: 'failed', next: expect.stringContaining('Nothing listens') })
  expect(cut['tls']?.result).toBe('unknown')
  expect(cut['broker']?.result).toBe('unknown')
})

it('sees a clock that forgot the time, a missing route and a name that nobody knows', async () => {
  const steps = await check(
    { ...GOOD, '/proc/net/route': ROUTES.split('\n')[0] ?? '' },
    { broker: 'mqtts://no-such-host.invalid:8883', surelyPastMs: () => Date.parse('2026-07-01T00:00:00Z'), proxies: ['HTTPS_PROXY'] },
  )
  expect(steps['clock']?.result).toBe('failed')
  expect(steps['router']?.result).toBe('failed')
  expect(steps['proxy']).toMatchObject({ result: 'unknown', says: expect.stringContaining('HTTPS_PROXY') })
  expect(steps['dns']).toMatchObject({ result: 'failed', next: expect.stringContaining('DNS') })
  expect(steps['tcp']?.says).toContain('Not reached')
})

it('ends in time when the network swallows everything', async () => {
  // TEST-NET-1: nobody answers, or the route refuses at once
  const began = performance.now()
  const steps = await check(GOOD, { broker: 'mqtt://192.0.2.1:1883' })
  expect(steps['tcp']?.result).toBe('failed')
  expect(performance.now() - began).toBeLessThan(10_000)
})

it('says so when the address of the join file makes no sense', async () => {
  expect((await check(GOOD, { broker: 'nonsense' }))['dns']).toMatchObject({ result: 'failed', next: expect.stringContaining('join file') })
})
