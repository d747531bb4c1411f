/** The prober against real servers on this machine: what counts as an answer, and that every question ends. */
import { createServer as createHttp } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import { createServer as createTcp } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProbeAction } from '../edge-agent/core/probe-model.ts'
import type { ExecOutcome } from '../edge-agent/ports.ts'
import { createProber } from '../edge-agent/runtime/probe-runner.ts'
import { stopContainer } from '../edge-agent/runtime/stop-step.ts'
import { systemClock } from '../edge-agent/runtime/system-clock.ts'
import { FakeClock } from './fakes/clock.ts'
import { FakeEngine } from './fakes/engine.ts'
import { FakeProber } from './fakes/prober.ts'

const HOST = '127.0.0.1'
const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  open.push({ close: () => void server.close() })
  return (server.address() as AddressInfo).port
}

const prober = (outcome: ExecOutcome = { ok: true, exitCode: 0, output: '', timedOut: false }) =>
  createProber({ exec: () => Promise.resolve(outcome) }, systemClock)
const run = (action: ProbeAction, timeoutMs = 15_000) => prober().run(action, timeoutMs)
const http = (port: number, more: Partial<Extract<ProbeAction, { kind: 'http' }>> = {}): ProbeAction => ({
  kind: 'http',
  host: HOST,
  port,
  path: '/',
  https: false,
  headers: [],
  ...more,
})
const OK = { verdict: 'success', message: '' }

describe('http', () => {
  const serve = async (listener: RequestListener): Promise<number> => {
    const server = createHttp(listener)
    open.push({ close: () => server.closeAllConnections() })
    return listen(server)
  }

  it.each([
    [200, 'success'],
    [302, 'success'],
    [399, 'success'],
    [400, 'failure'],
    [503, 'failure'],
  ])('%i is a %s', async (status, verdict) => {
    expect((await run(http(await serve((_, res) => void res.writeHead(status).end())))).verdict).toBe(verdict)
  })

  it('sends path and headers as they are written', async () => {
    let seen: unknown = null
    const port = await serve((req, res) => {
      seen = { url: req.url, host: req.headers.host, agent: req.headers['user-agent'], x: req.headers['x-a'], accept: req.headers.accept }
      res.end()
    })
    const headers = [
      { name: 'Host', value: 'example.test' },
      { name: 'X-A', value: '1' },
      { name: 'X-A', value: '2' },
    ]
    expect(await run(http(port, { path: '/a/../b?c=%20', headers }))).toEqual(OK)
    expect(seen).toEqual({ url: '/a/../b?c=%20', host: 'example.test', agent: 'kube-probe/skerry', x: '1, 2', accept: '*/*' })
  })

  it('follows a redirect on its host, not to another, and not for ever', async () => {
    const asked: (string | undefined)[] = []
    const port = await serve((req, res) => {
      asked.push(req.url)
      const to = req.url === '/ill' ? '/end' : req.url === '/away' ? 'http://192.0.2.1/' : req.url === '/loop' ? '/loop' : null
      res.writeHead(to === null ? 500 : 302, to === null ? {} : { location: to }).end()
    })
    expect(await run(http(port, { path: '/ill' }))).toMatchObject({ verdict: 'failure', message: 'HTTP probe failed with statuscode: 500' })
    expect(await run(http(port, { path: '/away' }))).toEqual(OK)
    expect(await run(http(port, { path: '/loop' }))).toMatchObject({ verdict: 'failure', message: 'stopped after 10 redirects' })
    expect(asked.filter((url) => url === '/loop')).toHaveLength(11)
  })

  it('does not read an endless body', async () => {
    const port = await serve((_, res) => {
      const more = (): void => {
        while (res.write('x'.repeat(4_096)));
        res.once('drain', more)
      }
      more()
    })
    expect(await run(http(port))).toEqual(OK)
  })

  it('ends when nobody answers, and when nobody is there', async () => {
    const port = await serve(() => {})
    expect(await run(http(port), 50)).toEqual({ verdict: 'failure', message: 'no answer within 0.05 s' })
    expect((await run(http(1))).verdict).toBe('failure')
  })
})

describe('tcp', () => {
  it('is open or not', async () => {
    const port = await listen(createTcp((socket) => socket.on('error', () => {})))
    expect(await run({ kind: 'tcp', host: HOST, port })).toEqual(OK)
    expect((await run({ kind: 'tcp', host: HOST, port: 1 })).verdict).toBe('failure')
  })
})

describe('grpc', () => {
  /** a health service that answers with these bytes, or hangs */
  const health = async (answer: ((service: string) => Buffer) | null, status = '0'): Promise<number> => {
    const server = createHttp2()
    server.on('session', (session) => open.push({ close: () => session.destroy() }))
    server.on('stream', (stream: ServerHttp2Stream) => {
      const parts: Buffer[] = []
      stream.on('data', (chunk: Buffer) => parts.push(chunk))
      stream.on('end', () => {
        if (answer === null) return
        stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }))
        stream.end(answer(Buffer.concat(parts).subarray(7).toString()))
      })
    })
    return listen(server)
  }
  const message = (status: number): Buffer => Buffer.from(status === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 8, status])
  const ask = (port: number, service = '', timeoutMs = 15_000) => run({ kind: 'grpc', host: HOST, port, service }, timeoutMs)

  it('serves, or does not, or does not know', async () => {
    expect(await ask(await health(() => message(1)))).toEqual(OK)
    expect(await ask(await health(() => message(2)))).toMatchObject({ verdict: 'failure', message: 'service unhealthy (responded with NOT_SERVING)' })
    expect(await ask(await health(() => message(0)))).toMatchObject({ verdict: 'failure' })
    expect(await ask(await health(() => Buffer.alloc(0), '12'))).toMatchObject({ verdict: 'failure', message: expect.stringContaining('12') })
  })
  it('asks for the service by name', async () => {
    const port = await health((service) => message(service === 'db' ? 1 : 2))
    expect(await ask(port, 'db')).toEqual(OK)
    expect((await ask(port, 'xx')).verdict).toBe('failure')
  })
  it('ends when nobody answers, and when nobody is there', async () => {
    expect(await ask(await health(null), '', 50)).toMatchObject({ verdict: 'failure', message: 'no answer within 0.05 s' })
    expect((await ask(1)).verdict).toBe('failure')
    expect((await ask(await listen(createTcp((socket) => socket.end('HTTP/1.1 400\r\n\r\n'))))).verdict).toBe('failure')
  })
})

describe('exec', () => {
  const exec: ProbeAction = { kind: 'exec', target: 'x', argv: ['true'] }
  it('takes the exit code; an engine that does not answer says nothing of the container', async () => {
    expect(await prober().run(exec, 1_000)).toEqual(OK)
    expect(await prober({ ok: true, exitCode: 3, output: 'no\n', timedOut: false }).run(exec, 1_000)).toEqual({
      verdict: 'failure',
      message: 'the command ended with code 3: no',
    })
    expect((await prober({ ok: true, exitCode: 0, output: '', timedOut: true }).run(exec, 1_000)).verdict).toBe('failure')
    expect((await prober({ ok: false, cause: { code: 'container.exec.failed', facts: {} } }).run(exec, 1_000)).verdict).toBe('failure')
    expect((await prober({ ok: false, cause: { code: 'engine.timeout', facts: {} } }).run(exec, 1_000)).verdict).toBe('unknown')
  })
})

describe('a stop with a preStop hook', () => {
  it('runs the hook first and gives the container what is left of its grace, at least two seconds', async () => {
    for (const [hookMs, seconds] of [
      [4_000, 6],
      [60_000, 2],
    ] as const) {
      const clock = new FakeClock()
      const engine = new FakeEngine({ clock, device: 'd' })
      const fake = new FakeProber()
      let callsAtHook = -1
      fake.answer = async () => {
        callsAtHook = engine.calls.length
        await clock.advance(hookMs)
        return { verdict: 'failure', message: '' }
      }
      const preStop: ProbeAction = { kind: 'sleep', ms: hookMs }
      const stopped = stopContainer(
        { engine, prober: fake, clock, sharedCpus: () => null },
        { kind: 'stop', key: 'k', target: 'x', graceSeconds: 10, preStop },
      )
      expect(await stopped).toEqual({ ok: true })
      expect(callsAtHook).toBe(0)
      expect(engine.calls).toEqual([`stop x ${seconds} s`])
    }
  })
})
