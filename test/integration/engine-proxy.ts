/**
 * A unix socket between an agent and its engine that notes what containers are asked for. The memory nodes of a made-up board are
 * not those of this machine, and dockerd refuses nodes that the kernel has not: they are noted, and node 0 is what the engine hears.
 */
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

export interface CreateAsked {
  readonly name: string
  readonly HostConfig: { readonly CpusetCpus?: string; readonly CpusetMems?: string; readonly PidsLimit?: number }
}

export interface EngineProxy {
  readonly socketPath: string
  /** bodies of the agent's own `POST /containers/create`, oldest first */
  readonly asked: readonly CreateAsked[]
  close(): Promise<void>
}

export async function createEngineProxy(engineSocket: string): Promise<EngineProxy> {
  const asked: CreateAsked[] = []
  const socketPath = `${engineSocket}.noted`
  const server = createServer((from, to) => void pass(from, to, engineSocket, asked).catch(() => to.destroy()))
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve))
  return {
    socketPath,
    asked,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

async function pass(from: IncomingMessage, to: ServerResponse, socketPath: string, asked: CreateAsked[]): Promise<void> {
  const url = new URL(from.url ?? '/', 'http://engine')
  const creates = from.method === 'POST' && url.pathname.endsWith('/containers/create')
  const body = creates ? noted(await text(from), url.searchParams.get('name') ?? '', asked) : null
  const headers = body === null ? from.headers : { ...from.headers, 'content-length': String(Buffer.byteLength(body)) }
  const onward = request({ socketPath, method: from.method, path: from.url, headers }, (answer) => {
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
function noted(body: string, name: string, asked: CreateAsked[]): string {
  const options = JSON.parse(body) as CreateAsked
  asked.push({ ...options, name })
  if (options.HostConfig.CpusetMems === undefined) return body
  return JSON.stringify({ ...options, HostConfig: { ...options.HostConfig, CpusetMems: '0' } })
}
