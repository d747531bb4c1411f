/** The floor: the same containers made by nothing but the engine's API, at its best concurrency. */
import { Agent, request } from 'node:http'

/** @returns milliseconds from the first create to the last answered start */
export async function rawUp(socketPath: string, count: number, concurrency: number, options: unknown): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const started = performance.now()
  await lanes(count, concurrency, async (index) => {
    const created = await send(agent, socketPath, 'POST', `/containers/create?name=raw-${index}`, options)
    const id = (JSON.parse(created) as { readonly Id: string }).Id
    await send(agent, socketPath, 'POST', `/containers/${id}/start`)
  })
  const ms = performance.now() - started
  agent.destroy()
  return ms
}

export async function rawDown(socketPath: string, count: number, concurrency: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  await lanes(count, concurrency, async (index) => void (await send(agent, socketPath, 'DELETE', `/containers/raw-${index}?force=true`)))
  agent.destroy()
}

/** @returns milliseconds until all of `rawUp` were stopped, removed, made again and started */
export async function rawRecreate(socketPath: string, count: number, concurrency: number, options: unknown): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const begin = performance.now()
  await lanes(count, concurrency, async (index) => {
    const name = `raw-${index}`
    await send(agent, socketPath, 'POST', `/containers/${name}/stop?t=0`)
    await send(agent, socketPath, 'DELETE', `/containers/${name}`)
    const created = await send(agent, socketPath, 'POST', `/containers/create?name=${name}`, options)
    await send(agent, socketPath, 'POST', `/containers/${(JSON.parse(created) as { readonly Id: string }).Id}/start`)
  })
  const ms = performance.now() - begin
  agent.destroy()
  return ms
}

/** A network as a namespace has one: the engine's name server for it costs a container's start more than the engine's own bridge does. */
const RAW_NETWORK = 'raw'

export async function makeRawNetwork(socketPath: string): Promise<void> {
  const agent = new Agent()
  await send(agent, socketPath, 'POST', '/networks/create', { Name: RAW_NETWORK, Driver: 'bridge' })
  agent.destroy()
}

/** What the agent asks for one of these pods; `makeRawNetwork` comes first. */
export function rawOptions(image: string): unknown {
  return {
    Image: image,
    Cmd: ['sleep', '86400'],
    HostConfig: {
      NetworkMode: RAW_NETWORK,
      Memory: 32 << 20,
      PidsLimit: 512,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  }
}

async function lanes(count: number, concurrency: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane))
}

function send(agent: Agent, socketPath: string, method: string, path: string, body?: unknown): Promise<string> {
  const json = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent, socketPath, method, path, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if ((response.statusCode ?? 500) < 400) resolve(text)
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 200)}`))
        })
      },
    )
    sent.on('error', reject)
    sent.end(json)
  })
}

/** Counts `start` events of the engine; resolves with the moment of the n-th. */
export function nthStart(socketPath: string, n: number): { readonly at: Promise<number>; readonly close: () => void } {
  let close = (): void => undefined
  const at = new Promise<number>((resolve, reject) => {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start'] }))
    const sent = request({ socketPath, path: `/events?filters=${filters}` }, (response) => {
      let seen = 0
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        rest += chunk
        const lines = rest.split('\n')
        rest = lines.pop() ?? ''
        seen += lines.filter((line) => line !== '').length
        if (seen >= n) resolve(performance.now())
      })
    })
    sent.on('error', reject)
    sent.end()
    close = () => sent.destroy()
  })
  at.catch(() => undefined)
  return { at, close: () => close() }
}
