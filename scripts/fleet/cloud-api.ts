/** The cloud's API as an operator's program uses it. */
import { readExposition } from '../../test/fakes/exposition.ts'
import type { Exposition } from '../../test/fakes/exposition.ts'
import type { CloudProcess } from '../testbed/cloud-process.ts'
import type { JoinFacts } from './messages.ts'

export interface ApiObject {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string; readonly generation?: number }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}

export class CloudApi {
  readonly #cloud: CloudProcess

  constructor(cloud: CloudProcess) {
    this.#cloud = cloud
  }

  /** @throws for any answer that is not 2xx, with what it said */
  async call(method: string, path: string, body?: unknown, type = 'application/json'): Promise<unknown> {
    const answer = await this.#fetch(method, path, body, type)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`)
    return JSON.parse(text) as unknown
  }

  /** null when there is no such object, or when the cloud is away */
  async find(path: string): Promise<ApiObject | null> {
    try {
      return (await this.call('GET', path)) as ApiObject
    } catch {
      return null
    }
  }

  async join(device: string): Promise<Omit<JoinFacts, 'url'>> {
    return (await this.call('POST', `/skerry/v1/join/${device}`)) as Omit<JoinFacts, 'url'>
  }

  /** the cloud's own numbers */
  async metrics(): Promise<Exposition> {
    const answer = await this.#fetch('GET', '/metrics', undefined, 'text/plain')
    return readExposition(await answer.text())
  }

  apply(path: string, name: string, object: unknown): Promise<unknown> {
    return this.call('PATCH', `${path}/${name}?fieldManager=fleet&force=true`, object, 'application/apply-patch+yaml')
  }

  #fetch(method: string, path: string, body: unknown, type: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#cloud.ports.http}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#cloud.token()}`, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }
}
