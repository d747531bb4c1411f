/**
 * Live ways into a container: a program beside its own (exec), its terminal (attach), its log as it grows, its ports.
 * INVARIANTS: nothing is collected here, the reader's pace is the engine's; every stream ends by `close`; opening ends by
 * the caller's deadline.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import type Docker from 'dockerode'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock, LiveEngine, LiveOpened, LiveStream, LogsAsked } from '../ports.ts'
import { readCause, readFailure } from './docker-failures.ts'
import type { Caller } from './engine-call.ts'
import { lastLines } from './last-lines.ts'
import { logWindow } from './log-window.ts'
import { engineChunks } from './stream-frames.ts'
import type { EngineChunk } from './stream-frames.ts'

interface Parts {
  readonly docker: Docker
  readonly caller: Caller
  readonly callMs: number
  readonly clock: Clock
}

/** Nobody types this; the engine's default would hold back every Ctrl-P of a shell. */
const DETACH_KEYS = 'ctrl-_,ctrl-],ctrl-_,ctrl-]'
const EXIT_LOOKS = 40
const EXIT_LOOK_MS = 50

export function liveStreams({ docker, caller, callMs, clock }: Parts): LiveEngine {
  const opened = async (name: string, open: () => Promise<LiveStream>): Promise<LiveOpened> => {
    try {
      return { ok: true, stream: await open() }
    } catch (error) {
      return { ok: false, cause: error instanceof NotOpened ? error.reason : readCause(readFailure(error), name, caller.context(callMs)) }
    }
  }
  const inspect = (target: string) => caller.call((abortSignal) => docker.getContainer(target).inspect({ abortSignal }))
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.at(clock.now().monoMs + ms, resolve))

  const exitCode = async (exec: Docker.Exec): Promise<number | null> => {
    for (let look = 0; look < EXIT_LOOKS; look += 1) {
      const { Running, ExitCode } = await caller.call((abortSignal) => exec.inspect({ abortSignal }))
      // the stream may end a moment before the engine has noted how
      if (!Running) return ExitCode
      await pause(EXIT_LOOK_MS)
    }
    return null
  }

  return {
    openExec: (target, { argv, stdin, tty }) =>
      opened('exec', async () => {
        const options = { Cmd: [...argv], AttachStdin: stdin, AttachStdout: true, AttachStderr: !tty, Tty: tty, DetachKeys: DETACH_KEYS }
        const exec = await caller.call((abortSignal) => docker.getContainer(target).exec({ ...options, abortSignal }))
        const socket = await caller.call(() => exec.start({ hijack: true, stdin: true, Tty: tty }))
        return duplexStream(socket, !tty, {
          resize: async (w, h) => void (await caller.call(() => exec.resize({ w, h }))),
          exitCode: () => exitCode(exec),
        })
      }),
    openAttach: (target, { stdin }) =>
      opened('attach', async () => {
        const { Config } = await inspect(target)
        const options = { stream: true, stdin: stdin && Config.OpenStdin, stdout: true, stderr: true, hijack: true, detachKeys: DETACH_KEYS }
        const socket = await caller.call(() => docker.getContainer(target).attach(options))
        return duplexStream(socket as Duplex, !Config.Tty, {
          resize: async (w, h) => void (await caller.call(() => docker.getContainer(target).resize({ w, h }))),
          exitCode: async () => null,
        })
      }),
    openLogs: (target, asked) => opened('logs', () => logStream({ docker, caller, callMs, clock }, target, asked)),
    openPort: (target, port) =>
      opened('port', async () => {
        const socket = await dial(await addressOf(target, port, inspect), port, clock, callMs)
        return duplexStream(socket, false, { resize: async () => undefined, exitCode: async () => null })
      }),
  }
}

async function logStream({ docker, caller, clock }: Parts, target: string, asked: LogsAsked): Promise<LiveStream> {
  const { State, Config } = await caller.call((abortSignal) => docker.getContainer(target).inspect({ abortSignal }))
  const window = logWindow(asked, State, clock.now().wallMs)
  if (!window.ok) throw new NotOpened(cause('session.logs.none', { why: window.why }))
  const options = { stdout: true, stderr: true, ...window.query }
  // not container.logs(): without follow it collects everything, and takes a text that is JSON for an answer
  const source = await caller.call(
    () =>
      new Promise<Readable>((resolve, reject) => {
        const request = { path: `/containers/${target}/logs?`, method: 'GET', isStream: true, statusCodes: { 200: true }, options }
        docker.modem.dial(request, (error: Error | null, stream: unknown) => {
          if (error === null) resolve(stream as Readable)
          else reject(error)
        })
      }),
  )
  source.on('error', () => undefined)
  const { previous = false, tailLines } = asked
  const chunks = engineChunks(source, !Config.Tty)
  return {
    output: quiet(previous && tailLines !== undefined ? lastLines(chunks, tailLines) : chunks),
    write: async () => undefined,
    endInput: () => undefined,
    resize: async () => undefined,
    exitCode: async () => null,
    close: () => void source.destroy(),
  }
}

/** The container's own address; what runs on the host's network is reached over loopback, and a joined network is its owner's. */
async function addressOf(target: string, port: number, inspect: (target: string) => Promise<Docker.ContainerInspectInfo>): Promise<string> {
  const found = await inspect(target)
  if (!found.State.Running) throw closed(port, 'the container does not run')
  const mode = found.HostConfig.NetworkMode ?? ''
  if (mode === 'host') return '127.0.0.1'
  if (mode.startsWith('container:')) return addressOf(mode.slice('container:'.length), port, inspect)
  const address = Object.values(found.NetworkSettings.Networks).find(({ IPAddress }) => IPAddress !== '')?.IPAddress
  if (address === undefined) throw closed(port, 'the container has no network address')
  return address
}

function dial(host: string, port: number, clock: Clock, limitMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const cancel = clock.at(clock.now().monoMs + limitMs, () => void socket.destroy(new Error(`no answer within ${limitMs / 1_000} s`)))
    socket.once('error', (error) => {
      cancel()
      reject(closed(port, error.message))
    })
    socket.once('connect', () => {
      cancel()
      resolve(socket)
    })
  })
}

/** A failure with its cause known; everything else is the engine's. */
class NotOpened extends Error {
  readonly reason: Cause
  constructor(reason: Cause) {
    super(reason.code)
    this.reason = reason
  }
}

function closed(port: number, why: string): NotOpened {
  return new NotOpened(cause('session.port.closed', { port, why }))
}

function duplexStream(duplex: Duplex, framed: boolean, more: Pick<LiveStream, 'resize' | 'exitCode'>): LiveStream {
  // its end is seen by whoever reads; an error without a listener would end the process
  duplex.on('error', () => undefined)
  return {
    ...more,
    output: quiet(engineChunks(duplex, framed)),
    write: (bytes) => writeAll(duplex, bytes),
    endInput: () => void duplex.end(),
    close: () => void duplex.destroy(),
  }
}

/** A connection that breaks ends the output: there is nothing else to be learned from it. */
async function* quiet(chunks: AsyncGenerator<EngineChunk>): AsyncGenerator<EngineChunk> {
  try {
    for await (const chunk of chunks) {
      const max = LIMITS.sessionChunkBytes.value
      for (let at = 0; at < chunk.bytes.length; at += max) yield { stream: chunk.stream, bytes: chunk.bytes.subarray(at, at + max) }
    }
  } catch {
    // closed from one side or the other
  }
}

/** Resolves when more may be written, or when nothing can be written any more. */
function writeAll(duplex: Duplex, bytes: Uint8Array): Promise<void> {
  if (duplex.destroyed || duplex.writableEnded || duplex.write(bytes)) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      duplex.off('drain', done)
      duplex.off('close', done)
      resolve()
    }
    duplex.on('drain', done)
    duplex.on('close', done)
  })
}
