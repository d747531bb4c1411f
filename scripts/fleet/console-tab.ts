/** One open tab of the console that only counts: what a person would read at the top of the fleet page. */
import type { SummaryPart } from '../../cloud/console/live-protocol.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { CloudProcess } from '../testbed/cloud-process.ts'

export class ConsoleTab {
  readonly #cloud: CloudProcess
  readonly #abort = new AbortController()
  #summary: SummaryPart | null = null

  private constructor(cloud: CloudProcess) {
    this.#cloud = cloud
  }

  /** Opens the stream and wishes for the summary. @throws when the console is not served */
  static async open(cloud: CloudProcess): Promise<ConsoleTab> {
    const tab = new ConsoleTab(cloud)
    const stream = await tab.#fetch('GET', 'stream')
    if (!stream.ok || stream.body === null) throw new Error(`the console answers ${stream.status}`)
    void tab.#follow(stream.body).catch(() => undefined)
    return tab
  }

  /** newest numbers; null before the first */
  summary(): SummaryPart | null {
    return this.#summary
  }

  close(): void {
    this.#abort.abort()
  }

  async #follow(body: ReadableStream<Uint8Array>): Promise<void> {
    const text = new TextDecoder()
    let kept = ''
    for await (const chunk of body) {
      kept += text.decode(chunk, { stream: true })
      const messages = kept.split('\n\n')
      kept = messages.pop() ?? ''
      for (const message of messages) await this.#take(message)
    }
  }

  async #take(message: string): Promise<void> {
    const event = /^event: (\w+)$/m.exec(message)?.[1]
    const data: unknown = JSON.parse(/^data: (.*)$/m.exec(message)?.[1] ?? 'null')
    if (!isRecord(data)) return
    if (event === 'hello') await this.#fetch('PUT', `stream/${String(data['stream'])}`, { wishes: { top: { part: 'summary' } } })
    const parts = data['parts']
    if (event === 'parts' && isRecord(parts) && isRecord(parts['top'])) this.#summary = parts['top'] as unknown as SummaryPart
  }

  #fetch(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#cloud.ports.http}/console/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#cloud.token()}`, 'content-type': 'application/json' },
      signal: this.#abort.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }
}
