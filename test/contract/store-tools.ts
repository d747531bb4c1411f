/** What the store's suites share: objects to write and ways to look at the answers. */
import type { Change, Store, StoredObject } from '../../cloud/ports.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'

export interface OpenOptions {
  /** changes the store keeps for watchers */
  readonly history?: number
}

export type Open = (options?: OpenOptions) => Promise<Store>

export function thing(name: string, value: number, namespace = 'default'): KubeObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace, uid: `uid-${name}` }, value }
}

export interface Recorded {
  readonly changes: Change[]
  expired: number
  stop(): void
}

export function record(store: Store, resource: string | null, from: number | null): Recorded {
  const seen: Recorded = { changes: [], expired: 0, stop: () => undefined }
  seen.stop = store.watch(resource, from, {
    onChange: (change) => seen.changes.push(change),
    onExpired: () => {
      seen.expired += 1
    },
  })
  return seen
}

/** Lets what is already committed reach the watchers: deliveries may take a turn of the event loop. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20)
  })
}

export function stored(answer: Awaited<ReturnType<Store['create']>>): StoredObject {
  if (!answer.ok) throw new Error(`the write was refused: ${answer.why}`)
  return answer.object
}

export async function listed(
  store: Store,
  options: Parameters<Store['list']>[1],
): Promise<Extract<Awaited<ReturnType<Store['list']>>, { ok: true }>> {
  const answer = await store.list('things', options)
  if (!answer.ok) throw new Error('the list expired')
  return answer
}

export function token(page: { readonly continueFrom: string | null }): string {
  if (page.continueFrom === null) throw new Error('there is no next page')
  return page.continueFrom
}

export function names(objects: readonly StoredObject[]): readonly string[] {
  return objects.map((object) => `${object.namespace}/${object.name}`)
}

export function decoded(object: StoredObject | null): KubeObject {
  if (object === null) throw new Error('there is no object')
  return JSON.parse(object.json) as KubeObject
}
