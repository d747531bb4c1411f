/** What every handler of the API gets: the parts of the cloud it may use, and the call it answers. */
import type { Clock, Log, Random, Store, StoredObject } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Principal } from './auth.ts'
import type { Catalog } from './catalog.ts'
import type { Wanted } from './negotiate.ts'
import { Recent } from './recent.ts'

export interface Api {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly catalog: Catalog
}

export interface Call {
  readonly method: string
  readonly query: URLSearchParams
  readonly principal: Principal
  readonly wanted: Wanted
  /** media type of the body */
  readonly media: string
  /** decoded body, undefined when there was none */
  readonly body: unknown
  /** become `Warning` headers of the answer */
  readonly warnings: string[]
}

const decoded = new Recent<StoredObject, KubeObject>()

/** The object behind a stored text. Decoded once while it is in use, and shared: callers must not change it. */
export function objectOf(stored: StoredObject): KubeObject {
  return decoded.get(stored, () => JSON.parse(stored.json) as KubeObject)
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
