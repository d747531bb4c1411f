/** `skerry-agent bundle`: from the running agent when there is one, else from what lies in the state folder. */
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { isRecord } from '../protocol/shape.ts'
import type { RunConfig } from './config.ts'
import { initialState } from './core/initial-state.ts'
import { reduce } from './core/reducer.ts'
import { createDockerEngine } from './engine/docker-engine.ts'
import { createInventoryReader } from './inventory/collect.ts'
import { readLastWords } from './last-words.ts'
import { makeBundle } from './local-page/bundle.ts'
import { wayToCloud } from './keep-page.ts'
import { pagePin } from './page-pin.ts'
import { takeLock } from './process-lock.ts'
import { systemClock } from './runtime/system-clock.ts'
import { openStateStore } from './store/state-store.ts'

/** Writes the file and answers a sentence. Throws when neither way works. */
export async function saveBundle(config: RunConfig, file: string, version: string): Promise<string> {
  const lock = takeLock(config.stateDir)
  const bytes = lock.ok ? await fromFolder(config, version).finally(lock.release) : await fromAgent(config)
  writeFileSync(file, bytes, { mode: 0o600 })
  return `${file}: ${bytes.byteLength} bytes, ${lock.ok ? 'from the state folder; no agent runs' : 'from the running agent'}\n`
}

async function fromAgent(config: RunConfig): Promise<Uint8Array> {
  if (config.page === null) throw new Error('the running agent has no page (--page off); stop it first')
  const { host, port } = config.page
  const where = { host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port }
  const signedIn = await post(where, '/api/v1/sign-in', { pin: pagePin(config.stateDir, config.join.pagePin) }, {})
  const answer: unknown = JSON.parse(Buffer.from(signedIn).toString('utf8'))
  const token = isRecord(answer) ? String(answer['token']) : ''
  return post(where, '/api/v1/bundle', { owner: 'skerry-agent bundle' }, { 'x-skerry-session': token })
}

function post(
  where: { readonly host: string; readonly port: number },
  path: string,
  body: object,
  headers: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...where, path, method: 'POST', timeout: 60_000, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const bytes = Buffer.concat(parts)
          if (response.statusCode === 200) resolve(bytes)
          else reject(new Error(`the agent's page answered ${response.statusCode ?? 0}: ${bytes.toString('utf8').slice(0, 300)}`))
        })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('the agent did not answer within a minute')))
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}

async function fromFolder(config: RunConfig, version: string): Promise<Uint8Array> {
  const { device, password = '' } = config.join
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const loaded = await openStateStore(config.stateDir, { log: quiet }).load()
  const now = systemClock.now()
  const read = reduce(initialState({ device, sid: 'none', agentVersion: version }, now), { kind: 'loaded', loaded }, now).state
  const engine = createDockerEngine({ socketPath: config.dockerSocket, device, clock: systemClock })
  const observed = await engine.observe().catch(() => null)
  const { inventory, hostIp } = await createInventoryReader({ device, agentVersion: version, clock: systemClock, engine: () => null }).collect()
  const state = { ...read, observed, inventory, hostIp }
  const words = readLastWords(config.stateDir)
  return makeBundle({
    state,
    now,
    agentLog: [...(words === null ? [] : [`${words.state} ${words.at} ${words.why}`]), ...(words?.lines ?? [])],
    logs: (target, lines) => engine.logs(target, lines),
    path: await wayToCloud(config, { state: () => state }),
    secrets: [password, pagePin(config.stateDir, config.join.pagePin)],
    versions: { agent: version, node: process.version },
  })
}
