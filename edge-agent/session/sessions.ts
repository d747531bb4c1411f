/**
 * Live sessions of this device: what the cloud asked for by signed command, checked, opened outwards, bounded and written down.
 * INVARIANTS
 * - A command opens at most one session, however often it is delivered.
 * - No more than the table's number at once; each ends by its bytes, its idle time or its longest time.
 * - Only containers that carry this device's label are reached.
 * - Who asked for what is in the log before the first byte and in the list while it is open.
 */
import type { Duplex } from 'node:stream'
import { causeSentence } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, failureStatus, frame } from '../../protocol/session.ts'
import type { SessionRequest, SessionSeen } from '../../protocol/session.ts'
import type { ObservedContainer } from '../core/model.ts'
import type { Clock, LiveEngine, LiveOpened, Log } from '../ports.ts'
import type { CloudAddress } from './dial.ts'
import { createMeter } from './meter.ts'
import type { Meter } from './meter.ts'
import { runAct } from './run-act.ts'
import { runContainer } from './run-container.ts'
import { runPortForward } from './run-port-forward.ts'
import { send } from './send.ts'

export interface SessionsOptions {
  readonly engine: LiveEngine
  readonly clock: Clock
  readonly log: Log
  /** null = the join file names none */
  readonly cloud: CloudAddress | null
  /** false = only logs may be read from outside */
  readonly remoteExec: boolean
  readonly containers: () => readonly ObservedContainer[]
  readonly acts: DeviceActs
  readonly dial: (cloud: CloudAddress, session: SessionRequest) => Promise<Duplex>
  /** called when a session opens or ends, and now and then while one is open */
  readonly onChange: (open: readonly SessionSeen[]) => void
}

/** What may be asked of the device itself. */
export interface DeviceActs {
  bundle(): Promise<Uint8Array>
  /** ends this process in good order; null = nothing would start it again */
  readonly restart: (() => void) | null
}

export interface Sessions {
  open(asked: SessionRequest): void
  list(): readonly SessionSeen[]
  /** ends all of them */
  stop(): void
}

interface Open {
  readonly seen: SessionSeen
  readonly meter: Meter
  readonly socket: Duplex
}

type Status = Readonly<Record<string, unknown>>

export function createSessions(options: SessionsOptions): Sessions {
  const { clock, log } = options
  const seenIds: string[] = []
  const open = new Map<string, Open | null>()
  const list = (): readonly SessionSeen[] => [...open.values()].flatMap((one) => (one === null ? [] : [{ ...one.seen, bytes: one.meter.total() }]))

  const serve = async (asked: SessionRequest, cloud: CloudAddress, others: number): Promise<void> => {
    const socket = await options.dial(cloud, asked)
    const refused = refusal(options, asked, others)
    if (refused !== null) return end(socket, refused)
    const meter = createMeter(LIMITS.sessionBytes.value)
    const since = new Date(clock.now().wallMs).toISOString()
    const { id, who, what, namespace, pod, container } = asked
    open.set(id, { seen: { id, who, what, namespace, pod, container, since, bytes: 0 }, meter, socket })
    options.onChange(list())
    const stopWatching = watch(
      clock,
      meter,
      () => socket.destroy(),
      () => options.onChange(list()),
    )
    const started = clock.now().monoMs
    log.info('live session opened', { ...auditOf(asked), id })
    try {
      await end(socket, await run(options, asked, socket, meter))
    } finally {
      stopWatching()
      // after its answer is on the way: the new agent would not know of it
      if (asked.what === 'restart-agent') clock.at(clock.now().monoMs + SAY_MS, () => options.acts.restart?.())
      log.info('live session ended', { ...auditOf(asked), id, bytes: meter.total(), seconds: Math.round((clock.now().monoMs - started) / 1_000) })
    }
  }

  return {
    open(asked) {
      const { id } = asked
      if (seenIds.includes(id)) return
      seenIds.push(id)
      if (seenIds.length > LIMITS.sessionsSeen.value) seenIds.shift()
      if (options.cloud === null)
        return log.warn('a live session was asked for, but the join file does not say where the cloud is; make a new one', auditOf(asked))
      if (open.size > LIMITS.sessionsPerDevice.value * 2)
        return log.warn('a live session was asked for, but too many are being refused already', auditOf(asked))
      const others = open.size
      open.set(id, null)
      serve(asked, options.cloud, others)
        .catch((error: unknown) =>
          log.warn('a live session failed', { ...auditOf(asked), id, why: error instanceof Error ? error.message : String(error) }),
        )
        .finally(() => {
          open.delete(id)
          options.onChange(list())
        })
    },
    list,
    stop() {
      for (const one of open.values()) one?.socket.destroy()
    },
  }
}

/** for the last message of a session to leave */
const SAY_MS = 500

/** Without arguments: a command line may hold a password. */
function auditOf({ who, what, namespace, pod, container, argv }: SessionRequest): Readonly<Record<string, string>> {
  return { who, what, pod: `${namespace}/${pod}`, container, ...(argv?.[0] === undefined ? {} : { program: argv[0].slice(0, 128) }) }
}

function refusal({ remoteExec, acts }: SessionsOptions, { what }: SessionRequest, others: number): Status | null {
  if (!remoteExec && what !== 'logs' && what !== 'bundle')
    return failureStatus(403, 'Forbidden', `this device does not allow ${what} from outside (--no-remote-exec); logs and a bundle can be had`)
  if (what === 'restart-agent' && acts.restart === null)
    return failureStatus(409, 'Conflict', 'this agent was started by hand: nothing would start it again (a service says so with SKERRY_SUPERVISED=1)')
  if (others >= LIMITS.sessionsPerDevice.value)
    return failureStatus(
      429,
      'TooManyRequests',
      `this device has ${others} live sessions; at most ${LIMITS.sessionsPerDevice.value} are open at once`,
    )
  return null
}

async function run(options: SessionsOptions, asked: SessionRequest, socket: Duplex, meter: Meter): Promise<Status> {
  if (asked.what === 'bundle' || asked.what === 'restart-agent') return runAct(socket, asked.what, options.acts, meter)
  const own = options.containers().filter((one) => one.podUid === asked.podUid)
  if (asked.what === 'port-forward') {
    const target = own.find((one) => one.state === 'running')
    if (target === undefined) return failureStatus(404, 'NotFound', `no container of pod ${asked.namespace}/${asked.pod} runs on this device`)
    await send(socket, frame(CHANNEL.ready))
    return runPortForward(socket, (port) => options.engine.openPort(target.id, port), meter)
  }
  const same = own.filter((one) => one.containerName === asked.container)
  const target = same.find((one) => one.state === 'running') ?? same.at(-1)
  if (target === undefined)
    return failureStatus(404, 'NotFound', `container ${asked.container} of pod ${asked.namespace}/${asked.pod} is not on this device (yet)`)
  const opened = await openContainer(options.engine, target.id, asked)
  if (!opened.ok) return failureStatus(ENGINE_AWAY.has(opened.cause.code) ? 503 : 400, opened.cause.code, causeSentence(opened.cause))
  await send(socket, frame(CHANNEL.ready))
  const { limitBytes } = asked.logs ?? {}
  return runContainer(socket, opened.stream, limitBytes === undefined ? meter : capped(meter, limitBytes), asked.what === 'logs')
}

const ENGINE_AWAY: ReadonlySet<string> = new Set(['engine.unreachable', 'engine.timeout'])

function openContainer(engine: LiveEngine, target: string, asked: SessionRequest): Promise<LiveOpened> {
  switch (asked.what) {
    case 'exec':
      return engine.openExec(target, { argv: asked.argv ?? [], stdin: asked.stdin === true, tty: asked.tty === true })
    case 'attach':
      return engine.openAttach(target, { stdin: asked.stdin === true })
    default:
      return engine.openLogs(target, asked.logs ?? {})
  }
}

/** The caller's own limit on a log; what is asked of the socket is not counted. */
function capped(meter: Meter, max: number): Meter {
  return { ...meter, left: () => Math.max(0, Math.min(meter.left(), max - meter.total())) }
}

/** The Status is the last message; then the socket closes in order. */
async function end(socket: Duplex, status: Status): Promise<void> {
  await send(socket, frame(CHANNEL.error, Buffer.from(JSON.stringify(status))))
  socket.end()
  // reads the other side's farewell
  socket.resume()
}

/** Ends a session that is idle or too long, and lets its bytes be told. */
function watch(clock: Clock, meter: Meter, stop: () => void, tell: () => void): () => void {
  const started = clock.now().monoMs
  let beats = meter.beats()
  let movedAt = started
  let cancel = (): void => undefined
  const look = (): void => {
    const now = clock.now().monoMs
    if (meter.beats() !== beats) {
      beats = meter.beats()
      movedAt = now
      tell()
    }
    if (now - movedAt >= LIMITS.sessionIdleMs.value || now - started >= LIMITS.sessionMaxMs.value) return stop()
    cancel = clock.at(now + LIMITS.sessionTellMs.value, look)
  }
  cancel = clock.at(started + LIMITS.sessionTellMs.value, look)
  return () => cancel()
}
