/**
 * A unix socket between an agent and its engine that notes what containers are asked for. Memory nodes and CPUs of a made-up board
 * are not those of this machine, and dockerd refuses what the kernel has not: they are noted, node 0 and the CPUs that exist are what
 * the engine hears, and what was asked is what the agent hears when it looks.
 */
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import { formatIdList, parseIdList } from '../../protocol/id-list.ts'

export interface CreateAsked {
  readonly name: string
  readonly HostConfig: { readonly CpusetCpus?: string; readonly CpusetMems?: string; readonly PidsLimit?: number }
}

export interface EngineProxy {
  readonly socketPath: string
  /** bodies of the agent's own `POST /containers/create`, oldest first */
  readonly asked: readonly CreateAsked[]
  /** CPUs that the running container of that name, or id, was moved to last */
  movedTo(target: string): string | undefined
  close(): Promise<void>
}

interface Notes {
  readonly asked: CreateAsked[]
  /** container name or id -> CPUs asked by its last update, and which update that was */
  readonly moved: Map<string, { readonly cpus: string; readonly at: number }>
}

export async function createEngineProxy(engineSocket: string): Promise<EngineProxy> {
  const notes: Notes = { asked: [], moved: new Map() }
  const socketPath = `${engineSocket}.noted`
  const server = createServer((from, to) => void pass(from, to, engineSocket, notes).catch(() => to.destroy()))
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve))
  return {
    socketPath,
    asked: notes.asked,
    movedTo: (target) => notes.moved.get(target)?.cpus,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

async function pass(from: IncomingMessage, to: ServerResponse, socketPath: string, notes: Notes): Promise<void> {
  const url = new URL(from.url ?? '/', 'http://engine')
  const [, target = '', verb = ''] = /\/containers\/([^/]+)\/(update|json)$/.exec(url.pathname) ?? []
  const creates = from.method === 'POST' && url.pathname.endsWith('/containers/create')
  const body = creates
    ? created(await text(from), url.searchParams.get('name') ?? '', notes.asked)
    : verb === 'update'
      ? updated(await text(from), target, notes)
      : null
  const headers = body === null ? from.headers : { ...from.headers, 'content-length': String(Buffer.byteLength(body)) }
  const onward = request({ socketPath, method: from.method, path: from.url, headers }, (answer) => {
    if (verb === 'json' && answer.statusCode === 200) return void text(answer).then((json) => to.end(inspected(json, notes)))
    to.writeHead(answer.statusCode ?? 502, answer.headers)
    // a stream of events sends its head long before its first event
    to.flushHeaders()
    answer.pipe(to)
    answer.once('error', () => to.destroy())
  })
  onward.once('error', () => to.destroy())
  to.once('close', () => onward.destroy())
  if (body === null) from.pipe(onward)
  else onward.end(body)
}

/** The body that the engine may have. */
function created(body: string, name: string, asked: CreateAsked[]): string {
  const options = JSON.parse(body) as CreateAsked
  asked.push({ ...options, name })
  if (options.HostConfig.CpusetMems === undefined) return body
  return JSON.stringify({ ...options, HostConfig: { ...options.HostConfig, CpusetMems: '0' } })
}

function updated(body: string, target: string, { moved }: Notes): string {
  const options = JSON.parse(body) as { readonly CpusetCpus?: string }
  if (options.CpusetCpus === undefined) return body
  moved.set(target, { cpus: options.CpusetCpus, at: moved.size === 0 ? 0 : Math.max(...[...moved.values()].map(({ at }) => at)) + 1 })
  const here = (parseIdList(options.CpusetCpus) ?? []).filter((cpu) => cpu < availableParallelism())
  return JSON.stringify({ ...options, CpusetCpus: here.length === 0 ? `0-${availableParallelism() - 1}` : formatIdList(here) })
}

function inspected(json: string, { moved }: Notes): string {
  const seen = JSON.parse(json) as { readonly Id: string; readonly Name: string; readonly HostConfig: Readonly<Record<string, unknown>> }
  const [last] = [moved.get(seen.Id), moved.get(seen.Name.slice(1))].filter((one) => one !== undefined).sort((a, b) => b.at - a.at)
  return last === undefined ? json : JSON.stringify({ ...seen, HostConfig: { ...seen.HostConfig, CpusetCpus: last.cpus } })
}
