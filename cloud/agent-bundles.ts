/**
 * Agents for devices: `agents/skerry-agent-VERSION.cjs` in the data folder. A device fetches the file by its hash with its own
 * broker password; the hash came to it in the signed document, so this way needs not be trusted.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { LIMITS } from '../protocol/limits.ts'
import type { DesiredAgent } from '../protocol/desired-state.ts'
import type { Config } from './config.ts'
import { passwordAuthenticator } from './mqtt/device-credentials.ts'
import type { AgentBundles } from './ports.ts'
import { isAgentVersion } from './resources/agent-version.ts'

const PATH = /^\/skerry\/v1\/agent\/([0-9a-f]{64})$/
const NAME = /^skerry-agent-(.+)\.cjs$/

export interface AgentFolder extends AgentBundles {
  /** the bytes of that hash, or null */
  bytesOf(sha256: string): Uint8Array | null
}

/** Files may come and go while the cloud runs; each is read once for each change. */
export function openAgentFolder(dataDir: string): AgentFolder {
  const dir = path.join(dataDir, 'agents')
  const known = new Map<string, { readonly mark: string; readonly agent: DesiredAgent }>()
  const find = (version: string): DesiredAgent | null => {
    const file = path.join(dir, `skerry-agent-${version}.cjs`)
    try {
      if (!isAgentVersion(version)) return null
      const { size, mtimeMs } = statSync(file)
      const mark = `${size} ${mtimeMs}`
      const before = known.get(version)
      if (before?.mark === mark) return before.agent
      if (size < 1 || size > LIMITS.agentBundleBytes.value) return null
      const agent = { version, sha256: createHash('sha256').update(readFileSync(file)).digest('hex'), bytes: size }
      known.set(version, { mark, agent })
      return agent
    } catch {
      known.delete(version)
      return null
    }
  }
  return {
    find,
    bytesOf(sha256) {
      const versions = list(dir).flatMap((name) => NAME.exec(name)?.[1] ?? [])
      const version = versions.find((one) => find(one)?.sha256 === sha256)
      return version === undefined ? null : readFileSync(path.join(dir, `skerry-agent-${version}.cjs`))
    },
  }
}

/** Answers and returns true when the path is that of an agent. */
export function agentPath(
  folder: AgentFolder,
  config: Pick<Config, 'broker'>,
  secret: Uint8Array,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const isDevice = deviceCheck(config, secret)
  return (request, response) => {
    const sha256 = PATH.exec(request.url ?? '')?.[1]
    if (sha256 === undefined) return false
    const end = (code: number, text: string): true => {
      response.writeHead(code, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(`${text}\n`)
      return true
    }
    if (request.method !== 'GET') return end(405, 'Only GET.')
    if (!isDevice(request.headers.authorization)) return end(401, 'Name the device and its password.')
    const bytes = folder.bytesOf(sha256)
    if (bytes === null) return end(404, 'There is no such agent.')
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.byteLength, 'cache-control': 'no-store' })
    response.end(bytes)
    return true
  }
}

/** What the join file of a device holds. */
function deviceCheck({ broker }: Pick<Config, 'broker'>, secret: Uint8Array): (header: string | undefined) => boolean {
  const embedded = passwordAuthenticator(secret)
  return (header) => {
    const [scheme, encoded = ''] = (header ?? '').split(' ')
    if (scheme !== 'Basic') return false
    const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
    const password = rest.join(':')
    if (broker === null) return embedded(name, name, password)?.role === 'device'
    return same(name, broker.username) && same(password, broker.password)
  }
}

function same(a: string, b: string): boolean {
  const [x, y] = [createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest()]
  return timingSafeEqual(x, y)
}

function list(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
