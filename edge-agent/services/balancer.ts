/**
 * Takes connections on the addresses of Services and hands each to a backend. INVARIANTS
 * - `set` changes who is asked for new connections at once, before it returns; connections that are open stay as they are.
 * - A connection is in memory only: bounded in number, in bytes (back pressure), and in time without a byte.
 * - Nothing of a client is read before a backend has taken it, so that the next one can be tried without losing a byte.
 * - The end of this process ends the connections through it, and nothing else.
 */
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { LIMITS } from '../../protocol/limits.ts'
import type { Backend, PlannedListener } from '../core/service-model.ts'
import type { Clock } from '../ports.ts'
import { createChooser } from './backends.ts'
import type { Chooser } from './backends.ts'

/** A port that cannot be had: by whom, and the errno name. */
export interface ListenFailure {
  readonly listener: PlannedListener
  readonly code: string
}

export interface Balancer {
  /** Resolves when every listener listens or has failed; those that failed are tried again at the next call. */
  set(listeners: readonly PlannedListener[]): Promise<readonly ListenFailure[]>
  /** connections that are open now */
  open(): number
  stop(): Promise<void>
}

/** Bounds of one balancer; the table's in the agent. */
export interface Bounds {
  readonly connections: number
  readonly idleMs: number
  readonly halfOpenMs: number
}

const BOUNDS: Bounds = {
  connections: LIMITS.balancerConnections.value,
  idleMs: LIMITS.balancerIdleMs.value,
  halfOpenMs: LIMITS.balancerHalfOpenMs.value,
}

interface Open {
  readonly server: Server
  readonly chooser: Chooser
  /** null when it listens, else the errno name; absent = not asked yet */
  listening: Promise<string | null> | null
}

export function createBalancer(clock: Clock, bounds: Bounds = BOUNDS): Balancer {
  const opened = new Map<string, Open>()
  const sockets = new Set<Socket>()

  const take = (client: Socket, chooser: Chooser): void => {
    // beyond the bound a client is told at once; it would wait without end else
    if (sockets.size >= 2 * bounds.connections) return void client.resetAndDestroy()
    keep(client, sockets)
    const from = client.remoteAddress ?? ''
    void reach(client, chooser.order(from, clock.now().monoMs), chooser, clock, sockets).then((reached) => {
      if (reached === null) client.resetAndDestroy()
      else {
        chooser.took(from, reached.backend, clock.now().monoMs)
        join(client, reached.socket, bounds)
      }
    })
  }
  const start = (): Open => {
    const chooser = createChooser()
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => take(client, chooser))
    return { server, chooser, listening: null }
  }
  const listen = (one: Open, { host, port }: PlannedListener): Promise<string | null> =>
    new Promise((resolve) => {
      const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message)
      one.server.once('error', failed)
      one.server.listen({ port, host: host ?? '0.0.0.0', backlog: 128 }, () => {
        one.server.off('error', failed)
        // accept may fail for want of file descriptors: the listener goes on
        one.server.on('error', () => {})
        resolve(null)
      })
    })

  return {
    async set(listeners) {
      const wanted = new Map(listeners.map((listener) => [keyOf(listener), listener]))
      for (const [key, one] of opened) {
        if (wanted.has(key)) continue
        opened.delete(key)
        void end(one)
      }
      for (const [key, listener] of wanted) {
        const one = opened.get(key) ?? start()
        one.chooser.set(listener.backends, listener.affinitySeconds)
        opened.set(key, one)
      }
      const failures: ListenFailure[] = []
      for (const [key, listener] of wanted) {
        const one = opened.get(key)
        if (one === undefined) continue
        // two calls that overlap ask once
        const code = await (one.listening ??= listen(one, listener))
        if (code === null) continue
        failures.push({ listener, code })
        if (opened.get(key) === one) opened.delete(key)
      }
      return failures
    },
    open: () => sockets.size / 2,
    async stop() {
      const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
      for (const socket of sockets) socket.destroy()
      await Promise.all([...gone, ...[...opened.values()].map(end)])
      opened.clear()
    },
  }
}

/** A server that is closed while it is about to listen would listen afterwards. */
async function end({ server, listening }: Open): Promise<void> {
  await listening
  await new Promise((resolve) => server.close(resolve))
}

function keyOf({ host, port }: PlannedListener): string {
  return `${host ?? '*'}:${port}`
}

function keep(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  socket.on('error', () => socket.destroy())
}

interface Reached {
  readonly socket: Socket
  readonly backend: Backend
}

/** The first backend that takes a connection; null when none does, or the client has gone meanwhile. */
async function reach(client: Socket, backends: readonly Backend[], chooser: Chooser, clock: Clock, sockets: Set<Socket>): Promise<Reached | null> {
  for (const backend of backends) {
    if (client.destroyed) return null
    const socket = await dial(backend)
    if (socket !== null && !client.destroyed) {
      keep(socket, sockets)
      return { socket, backend }
    }
    if (socket !== null) {
      socket.destroy()
      return null
    }
    chooser.failed(backend, clock.now().monoMs)
  }
  return null
}

function dial({ host, port }: Backend): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const give = (): void => {
      socket.destroy()
      resolve(null)
    }
    socket.setTimeout(LIMITS.backendConnectMs.value, give)
    socket.once('error', give)
    socket.once('connect', () => {
      socket.off('error', give)
      socket.off('timeout', give)
      socket.setTimeout(0)
      resolve(socket)
    })
  })
}

/** Both directions, each at the pace of its reader; an end is passed on, an error ends both. */
function join(client: Socket, backend: Socket, { idleMs, halfOpenMs }: Bounds): void {
  for (const [from, to] of [
    [client, backend],
    [backend, client],
  ] as const) {
    from.pipe(to)
    from.setKeepAlive(true, LIMITS.balancerKeepAliveMs.value)
    from.setTimeout(idleMs, () => from.destroy())
    // one half is closed: the other has this long to finish
    from.once('end', () => to.setTimeout(halfOpenMs))
    from.once('close', () => to.destroySoon())
    from.once('error', () => to.resetAndDestroy())
  }
}
