/** Live sessions on the device: what the cloud may ask, how much of it, and what is left behind. */
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { logWindow } from '../edge-agent/engine/log-window.ts'
import type { ObservedContainer } from '../edge-agent/core/model.ts'
import { createSessions } from '../edge-agent/session/sessions.ts'
import type { Sessions } from '../edge-agent/session/sessions.ts'
import { lastLines } from '../edge-agent/engine/last-lines.ts'
import { engineChunks } from '../edge-agent/engine/stream-frames.ts'
import type { EngineChunk } from '../edge-agent/engine/stream-frames.ts'
import { LIMITS } from '../protocol/limits.ts'
import { CHANNEL, frame, openFrame, readStreamFrame, streamFrame } from '../protocol/session.ts'
import type { SessionRequest, SessionSeen } from '../protocol/session.ts'
import { FakeLiveEngine } from './fakes/live-engine.ts'
import { messagePair } from './fakes/message-pair.ts'
import { container } from './fixtures/field-state.ts'

const RUNNING: ObservedContainer = { ...container('web'), podUid: 'uid-web', containerName: 'main', state: 'running' }
const NOW = { monoMs: 1_000, wallMs: Date.parse('2026-03-04T10:00:00Z') }

/** of more than one message */
const BUNDLE = Buffer.from('b'.repeat(LIMITS.sessionChunkBytes.value + 7))

interface World {
  readonly sessions: Sessions
  readonly engine: FakeLiveEngine
  readonly log: string[]
  readonly told: (readonly SessionSeen[])[]
  /** the cloud's ends of the sockets, in order */
  readonly sockets: Duplex[]
  readonly timers: (() => void)[]
  readonly restarts: string[]
}

function world(more: { readonly remoteExec?: boolean; readonly cloud?: null; readonly byHand?: boolean } = {}): World {
  const log: string[] = []
  const told: (readonly SessionSeen[])[] = []
  const sockets: Duplex[] = []
  const timers: (() => void)[] = []
  const restarts: string[] = []
  const engine = new FakeLiveEngine()
  const write = (msg: string, fields: unknown): void => void log.push(`${msg} ${JSON.stringify(fields)}`)
  const sessions = createSessions({
    engine,
    clock: { now: () => NOW, at: (_ms, run) => (timers.push(run), () => undefined) },
    log: { info: write, warn: write, error: write },
    cloud: more.cloud === null ? null : { url: 'https://cloud.example' },
    remoteExec: more.remoteExec ?? true,
    containers: () => [RUNNING],
    acts: { bundle: async () => BUNDLE, restart: more.byHand === true ? null : () => void restarts.push('now') },
    dial: async () => {
      const [here, there] = messagePair()
      sockets.push(there)
      return here
    },
    onChange: (open) => void told.push(open),
  })
  return { sessions, engine, log, told, sockets, timers, restarts }
}

let made = 0
function request(more: Partial<SessionRequest> = {}): SessionRequest {
  made += 1
  const id = made.toString(16).padStart(32, '0')
  return {
    id,
    token: 'x'.repeat(43),
    validMs: 1_000,
    who: 'admin',
    what: 'exec',
    podUid: 'uid-web',
    namespace: 'line-2',
    pod: 'web',
    container: 'main',
    ...more,
  }
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Everything the device says until it is done. */
async function heard(socket: Duplex | undefined): Promise<readonly (readonly [number, string])[]> {
  const seen: (readonly [number, string])[] = []
  for await (const message of (socket ?? []) as AsyncIterable<Uint8Array>) seen.push([message[0] ?? -1, Buffer.from(message.subarray(1)).toString()])
  return seen
}

function statusOf(seen: readonly (readonly [number, string])[]): unknown {
  return JSON.parse(seen.find(([channel]) => channel === CHANNEL.error)?.[1] ?? 'null')
}

describe('sessions of a device', () => {
  it('gives its diagnostics whole, also where nobody may run programs', async () => {
    const { sessions, sockets, log } = world({ remoteExec: false })
    sessions.open(request({ what: 'bundle', podUid: '', namespace: '', pod: '', container: '' }))
    await turns()
    const seen = await heard(sockets[0])
    expect(seen[0]?.[0]).toBe(CHANNEL.ready)
    expect(seen.flatMap(([channel, text]) => (channel === CHANNEL.stdout ? [text] : [])).join('')).toBe(BUNDLE.toString())
    expect(statusOf(seen)).toMatchObject({ status: 'Success' })
    expect(log.join()).toContain('bundle')
  })

  it('starts anew when it is asked to, after its answer; and says no where nothing would start it again', async () => {
    const restart = (): SessionRequest => request({ what: 'restart-agent', podUid: '', namespace: '', pod: '', container: '' })
    const one = world()
    one.sessions.open(restart())
    await turns()
    expect(statusOf(await heard(one.sockets[0]))).toMatchObject({ status: 'Success' })
    expect(one.restarts).toEqual([])
    one.timers.slice().forEach((timer) => timer())
    expect(one.restarts).toEqual(['now'])
    for (const [other, code] of [
      [world({ byHand: true }), 409],
      [world({ remoteExec: false }), 403],
    ] as const) {
      other.sessions.open(restart())
      await turns()
      expect(statusOf(await heard(other.sockets[0]))).toMatchObject({ status: 'Failure', code })
      other.timers.slice().forEach((timer) => timer())
      expect(other.restarts).toEqual([])
    }
  })

  it('runs a program and says how it ended', async () => {
    const { sessions, sockets, engine, told } = world()
    sessions.open(request({ argv: ['echo', 'hi'] }))
    await turns()
    const seen = await heard(sockets[0])
    expect(seen.slice(0, 2)).toEqual([
      [CHANNEL.ready, ''],
      [CHANNEL.stdout, 'hi\n'],
    ])
    expect(statusOf(seen)).toMatchObject({ status: 'Success' })
    await turns()
    expect([engine.open, sessions.list(), told.at(-1)]).toEqual([0, [], []])

    sessions.open(request({ argv: ['exit', '7'] }))
    await turns()
    expect(statusOf(await heard(sockets[1]))).toMatchObject({
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    })
  })

  it('passes input on, is listed while it is open, and ends with its socket', async () => {
    const { sessions, sockets, engine, told } = world()
    sessions.open(request({ argv: ['cat'], stdin: true }))
    await turns()
    sockets[0]?.write(frame(CHANNEL.stdin, Buffer.from('abc')))
    await turns()
    expect(sessions.list()).toMatchObject([{ who: 'admin', what: 'exec', namespace: 'line-2', pod: 'web', container: 'main', bytes: 6 }])
    expect(told[0]).toHaveLength(1)
    sockets[0]?.destroy()
    await turns()
    expect([engine.open, sessions.list()]).toEqual([0, []])
  })

  it('keeps arguments out of the log: they may hold a password', async () => {
    const { sessions, sockets, log } = world()
    sessions.open(request({ argv: ['echo', 'hunter2'] }))
    await turns()
    await heard(sockets[0])
    await turns()
    expect(log.join('\n')).toContain('"program":"echo"')
    expect(log.join('\n')).not.toContain('hunter2')
  })

  it('refuses all but logs where remote work is switched off', async () => {
    const { sessions, sockets } = world({ remoteExec: false })
    for (const what of ['exec', 'attach', 'port-forward'] as const) sessions.open(request({ what }))
    sessions.open(request({ what: 'logs' }))
    await turns()
    for (const socket of sockets.slice(0, 3)) expect(statusOf(await heard(socket))).toMatchObject({ code: 403, reason: 'Forbidden' })
    expect((await heard(sockets[3]))[0]).toEqual([CHANNEL.ready, ''])
  })

  it('opens one session for a command that is delivered twice, and none without an address', async () => {
    const { sessions, sockets } = world()
    const asked = request({ argv: ['cat'] })
    sessions.open(asked)
    sessions.open(asked)
    await turns()
    expect(sockets).toHaveLength(1)
    sessions.stop()
    const away = world({ cloud: null })
    away.sessions.open(request())
    await turns()
    expect(away.sockets).toHaveLength(0)
    expect(away.log[0]).toContain('join file')
  })

  it('is not used up by many, and refuses containers that are not here', async () => {
    const { sessions, sockets, engine } = world()
    for (let i = 0; i <= LIMITS.sessionsPerDevice.value; i += 1) sessions.open(request({ argv: ['cat'] }))
    await turns()
    expect(statusOf(await heard(sockets.at(-1)))).toMatchObject({ code: 429 })
    expect(engine.open).toBe(LIMITS.sessionsPerDevice.value)
    sessions.stop()
    await turns()
    expect(engine.open).toBe(0)
    sessions.open(request({ podUid: 'uid-other' }))
    await turns()
    expect(statusOf(await heard(sockets.at(-1)))).toMatchObject({ code: 404 })
  })

  it('waits while nobody reads: a program without end fills no memory', async () => {
    const { sessions, sockets } = world()
    sessions.open(request({ argv: ['yes'] }))
    await turns(200)
    const before = sessions.list()[0]?.bytes ?? 0
    await turns(200)
    expect(sessions.list()[0]?.bytes).toBe(before)
    expect(before).toBeLessThan(256 * 1024)
    sockets[0]?.destroy()
  })

  it('ends a log at the bytes that were asked for', async () => {
    const { sessions, sockets, engine } = world()
    sessions.open(request({ what: 'logs', logs: { limitBytes: 6, tailLines: 3 } }))
    await turns()
    const seen = await heard(sockets[0])
    const text = seen.filter(([channel]) => channel === CHANNEL.stdout).map(([, part]) => part)
    expect(text.join('')).toBe('one\ntw')
    expect(engine.asked).toMatchObject({ tailLines: 3 })
  })

  it('carries connections to ports', async () => {
    const { sessions, sockets, engine } = world()
    sessions.open(request({ what: 'port-forward', container: '' }))
    await turns()
    const [socket] = sockets
    const seen: Uint8Array[] = []
    socket?.on('data', (message: Uint8Array) => seen.push(message))
    for (const message of [openFrame(1, 80), streamFrame(CHANNEL.data, 1, Buffer.from('ping')), streamFrame(CHANNEL.end, 1), openFrame(3, 81)])
      socket?.write(message)
    await turns()
    const said = seen
      .slice(1)
      .map((message) => [message[0], readStreamFrame(message)?.stream, Buffer.from(readStreamFrame(message)?.payload ?? []).toString()])
    expect(said).toContainEqual([CHANNEL.data, 1, 'ping'])
    expect(said).toContainEqual([CHANNEL.end, 1, ''])
    expect(said).toContainEqual([CHANNEL.fail, 3, 'Port 81 of the container takes no connection: refused.'])
    expect(engine.open).toBe(0)
    socket?.write(Buffer.from([CHANNEL.data]))
    socket?.end()
    await turns()
    expect(sessions.list()).toEqual([])
  })
})

describe('which part of a log', () => {
  const once = { Running: true, StartedAt: '2026-03-04T09:00:00Z', FinishedAt: '0001-01-01T00:00:00Z' }
  const again = { ...once, FinishedAt: '2026-03-04T08:59:58.5Z' }

  it('is that of the current run, and of those before when asked', () => {
    expect(logWindow({}, once, NOW.wallMs)).toMatchObject({ ok: true, query: { follow: false, tail: 'all' } })
    expect(logWindow({ follow: true, tailLines: 5 }, again, NOW.wallMs)).toMatchObject({ query: { follow: true, tail: 5, since: '1772614798.500' } })
    expect(logWindow({ previous: true }, again, NOW.wallMs)).toMatchObject({ query: { until: '1772614798.500' } })
    expect(logWindow({ previous: true }, once, NOW.wallMs)).toMatchObject({ ok: false })
  })

  it('is counted back from the clock of the device', () => {
    expect(logWindow({ sinceSeconds: 60 }, once, NOW.wallMs)).toMatchObject({ query: { since: (NOW.wallMs / 1_000 - 60).toFixed(3) } })
    expect(logWindow({ sinceTime: 'yesterday' }, once, NOW.wallMs)).toMatchObject({ ok: false })
  })
})

describe('the last lines of an earlier run', () => {
  it('are counted here, whatever the pieces', async () => {
    const last = async (pieces: readonly string[], lines: number): Promise<string> => {
      const chunks = async function* (): AsyncGenerator<EngineChunk> {
        for (const piece of pieces) yield { stream: 1, bytes: Buffer.from(piece) }
      }
      let said = ''
      for await (const { bytes } of lastLines(chunks(), lines)) said += Buffer.from(bytes).toString()
      return said
    }
    expect(await last(['a\nb', 'b\nc\n'], 1)).toBe('c\n')
    expect(await last(['a\nb', 'b\nc\n'], 2)).toBe('bb\nc\n')
    expect(await last(['a\nbb\nc'], 9)).toBe('a\nbb\nc')
    expect(await last(['\n\n'], 1)).toBe('\n')
    expect([await last(['a\n'], 0), await last([], 3)]).toEqual(['', ''])
  })
})

describe('frames of the engine', () => {
  it('are told apart however they are cut', async () => {
    const one = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 3]), Buffer.from('out'), Buffer.from([2, 0, 0, 0, 0, 0, 0, 4]), Buffer.from('oops')])
    for (let size = 1; size <= one.length; size += 1) {
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < one.length; at += size) yield one.subarray(at, at + size)
      }
      const said = { 1: '', 2: '' }
      for await (const { stream, bytes } of engineChunks(pieces(), true)) said[stream] += Buffer.from(bytes).toString()
      expect(said).toEqual({ 1: 'out', 2: 'oops' })
    }
  })
})
