/** What the API needs of whoever runs live sessions, and which session a request on a pod asks for. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { LIMITS } from '../../protocol/limits.ts'
import type { SessionWhat } from '../../protocol/session.ts'
import type { LiveCall, LiveFailure, LogTaker } from '../ports.ts'
import type { Pod } from '../resources/pod.ts'
import { objectOf } from './api.ts'
import type { Api } from './api.ts'
import { ApiError, badRequest, noSuchPath } from './api-error.ts'
import type { Principal } from './auth.ts'
import { goBoolean } from './negotiate.ts'
import { storedAt } from './read.ts'
import type { ResourceRoute } from './route.ts'

export interface LiveVerbs {
  /** answers with the log; a failure is before anything was sent */
  logs(call: LiveCall, response: ServerResponse): Promise<LiveFailure | null>
  /** hands on a log; a failure is before it was opened */
  follow(call: LiveCall, taker: LogTaker): Promise<LiveFailure | null>
  /** asks a device and waits for all of its answer */
  whole(call: LiveCall): Promise<{ readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly failure: LiveFailure }>
  /** takes the socket over; a failure is before anything was sent */
  upgrade(call: LiveCall, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<LiveFailure | null>
  /** a device's own end of a session; answers by itself */
  takeDeviceSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const UPGRADES: Readonly<Record<string, SessionWhat>> = { exec: 'exec', attach: 'attach', portforward: 'port-forward' }

/** What a pod's sub-resource means as a session; null = it is none. */
export function sessionOf(route: ResourceRoute): SessionWhat | null {
  if (route.definition.plural !== 'pods' || route.definition.group !== '' || route.name === null) return null
  return route.subresource === 'log' ? 'logs' : (UPGRADES[route.subresource ?? ''] ?? null)
}

/** Checked against the pod as it is stored. Throws what the client is to be told. */
export async function liveCall(api: Api, principal: Principal, route: ResourceRoute, query: URLSearchParams): Promise<LiveCall> {
  const what = sessionOf(route)
  if (what === null) throw noSuchPath()
  const pod = objectOf(await storedAt(api, route)) as Pod
  const { namespace = '', name = '', uid = '' } = pod.metadata
  const device = pod.spec.nodeName ?? ''
  if (device === '') throw badRequest(`pod ${name} does not have a host assigned`)
  const phase = pod.status?.phase ?? 'Pending'
  if (what !== 'logs' && (phase === 'Succeeded' || phase === 'Failed'))
    throw badRequest(`cannot ${what} in a completed pod; current phase is ${phase}`)
  const container = what === 'port-forward' ? '' : containerOf(pod, query.get('container') ?? '')
  const common = { who: principal.name.slice(0, 253), what, podUid: uid, namespace, pod: name, container }
  if (what === 'logs') return { device, about: pod, wanted: { ...common, logs: logOptions(query) } }
  if (what === 'port-forward') return { device, about: pod, wanted: common }
  const tty = flag(query, 'tty')
  const wanted = { ...common, stdin: flag(query, 'stdin'), tty }
  return { device, about: pod, wanted: what === 'exec' ? { ...wanted, argv: argvOf(query) } : wanted }
}

/** A failure before anything was sent, as the Status that says so. */
export function refuseLive(failure: LiveFailure | null): void {
  if (failure !== null) throw new ApiError(failure.code, failure.reason, failure.message)
}

function containerOf(pod: Pod, asked: string): string {
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name)
  const { name = '', annotations = {} } = pod.metadata
  const meant =
    asked === ''
      ? (annotations['kubectl.kubernetes.io/default-container'] ?? (pod.spec.containers.length === 1 ? pod.spec.containers[0]?.name : undefined))
      : asked
  if (meant === undefined) throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`)
  if (!names.includes(meant)) throw badRequest(`container ${meant} is not valid for pod ${name}; it has: ${names.join(', ')}`)
  return meant
}

function argvOf(query: URLSearchParams): readonly string[] {
  const argv = query.getAll('command')
  if (argv.length === 0 || argv[0] === '') throw badRequest('you must specify at least 1 command for the container')
  const bytes = argv.reduce((sum, word) => sum + Buffer.byteLength(JSON.stringify(word)), 0)
  if (bytes > LIMITS.sessionArgvBytes.value)
    throw badRequest(`the command has ${bytes} bytes; at most ${LIMITS.sessionArgvBytes.value} are passed on`)
  return argv
}

function logOptions(query: URLSearchParams): NonNullable<LiveCall['wanted']['logs']> {
  const sinceTime = query.get('sinceTime')
  if (sinceTime !== null && Number.isNaN(Date.parse(sinceTime)))
    throw badRequest(`sinceTime: ${JSON.stringify(sinceTime)} is not a time such as 2026-01-31T10:00:00Z`)
  const tailLines = whole(query, 'tailLines', 0)
  const sinceSeconds = whole(query, 'sinceSeconds', 1)
  const limitBytes = whole(query, 'limitBytes', 1)
  return {
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    ...(sinceTime === null ? {} : { sinceTime: sinceTime.slice(0, 40) }),
    ...(tailLines === null ? {} : { tailLines }),
    ...(sinceSeconds === null ? {} : { sinceSeconds }),
    ...(limitBytes === null ? {} : { limitBytes }),
  }
}

function flag(query: URLSearchParams, name: string): boolean {
  const value = goBoolean(query.get(name))
  if (value === null) throw badRequest(`${name}: ${JSON.stringify(query.get(name))} is not true or false`)
  return value
}

function whole(query: URLSearchParams, name: string, least: number): number | null {
  const text = query.get(name)
  if (text === null || text === '') return null
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least) throw badRequest(`${name}: ${JSON.stringify(text)} is not a whole number from ${least}`)
  return value
}
