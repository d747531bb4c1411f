/** The bytes of a new agent, from the cloud, with this device's own password. Bounded in size and time. */
import type { DesiredAgent } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'

export interface AgentSource {
  /** https://HOST:PORT of the cloud; http only on this machine */
  readonly url: string
  readonly ca?: string
  readonly username: string
  readonly password: string
}

export const AGENT_PATH = '/skerry/v1/agent/'

/** Rejects when the cloud does not give it, gives more than it said, or takes too long. */
export async function download(source: AgentSource, { sha256, bytes }: DesiredAgent): Promise<Uint8Array> {
  const url = new URL(`${AGENT_PATH}${sha256}`, source.url)
  const options = {
    auth: `${source.username}:${source.password}`,
    signal: AbortSignal.timeout(LIMITS.agentDownloadMs.value),
    ...(source.ca === undefined ? {} : { ca: source.ca }),
  }
  // loaded when first needed: TLS costs 6 MiB resident
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      if (response.statusCode !== 200) {
        response.resume()
        return reject(new Error(`the cloud answered ${response.statusCode ?? 0}`))
      }
      const chunks: Buffer[] = []
      let got = 0
      response.on('data', (chunk: Buffer) => {
        got += chunk.byteLength
        chunks.push(chunk)
        if (got > bytes) response.destroy(new Error(`the cloud sends more than the ${bytes} bytes that it announced`))
      })
      response.on('error', reject)
      response.on('end', () => resolve(Buffer.concat(chunks)))
    })
    asked.on('error', reject)
    asked.end()
  })
}
