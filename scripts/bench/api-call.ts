/** One request to the testbed's API, without the start of a kubectl in what is measured. */
import type { Testbed } from '../testbed/testbed.ts'

export interface ApiAsk {
  readonly method: 'POST' | 'DELETE' | 'PATCH'
  readonly path: string
  readonly body?: unknown
}

/** @throws with what the API answered */
export async function apiCall(bed: Testbed, { method, path, body }: ApiAsk): Promise<void> {
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json'
  const answer = await fetch(`http://127.0.0.1:${bed.cloud.ports.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${bed.cloud.token()}`, 'content-type': type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
}
