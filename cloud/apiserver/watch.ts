/**
 * Watches: one JSON document a line, as long as the client listens.
 *
 * INVARIANTS
 * - A watch sees each change after its start once, in order: initial objects come from a list, and the store's watch starts at
 *   that list's revision.
 * - The line of a change is encoded once and shared by all watchers of that form.
 * - A client that does not read is cut off when its unsent bytes pass LIMITS.watchBufferBytes; it lists again.
 * - A bookmark carries a revision whose changes have all been handed to this watch.
 * - However a watch ends, the store's watch and the timers end with it, once.
 */
import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { LIMITS } from '../../protocol/limits.ts'
import type { Change, StoredObject } from '../ports.ts'
import { resourceKey } from '../resources/object.ts'
import type { KubeObject } from '../resources/object.ts'
import { apiVersionOf } from '../resources/registry.ts'
import { objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { badRequest, expired, statusOf } from './api-error.ts'
import { goBoolean } from './negotiate.ts'
import { pageOf } from './read.ts'
import { Recent } from './recent.ts'
import type { ResourceRoute } from './route.ts'
import { selectionOf } from './selection.ts'
import type { Selection } from './selection.ts'
import { table, tableForm } from './table.ts'

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** Resolves when the watch has ended. Errors before the first byte are thrown as ApiError. */
export async function watch(api: Api, call: Call, route: ResourceRoute, response: ServerResponse): Promise<void> {
  const selection = selectionOf(route, call.query)
  const from = startOf(call.query)
  const seconds = secondsOf(call.query)
  const encode = encoderOf(api, call, route)
  const initial = from === null ? await pageOf(api, withoutPaging(call.query), route) : null
  const stream = new WatchStream(api, route, selection, encode, response)
  stream.open(from ?? initial?.revision ?? 0, initial?.items ?? [], {
    bookmarks: goBoolean(call.query.get('allowWatchBookmarks')) === true,
    announceInitial: goBoolean(call.query.get('sendInitialEvents')) === true,
    seconds,
  })
  await stream.ended
}

interface Options {
  readonly bookmarks: boolean
  /** WatchList: a marked bookmark says that the initial objects are complete */
  readonly announceInitial: boolean
  readonly seconds: number
}

class WatchStream {
  readonly ended: Promise<void>
  readonly #api: Api
  readonly #route: ResourceRoute
  readonly #selection: Selection
  readonly #encode: (type: EventType, object: StoredObject) => Buffer
  readonly #response: ServerResponse
  #stops: (() => void)[] = []
  #finish: () => void = () => undefined
  #isOver = false

  constructor(
    api: Api,
    route: ResourceRoute,
    selection: Selection,
    encode: (type: EventType, object: StoredObject) => Buffer,
    response: ServerResponse,
  ) {
    this.#api = api
    this.#route = route
    this.#selection = selection
    this.#encode = encode
    this.#response = response
    this.ended = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  open(revision: number, initial: readonly StoredObject[], options: Options): void {
    const response = this.#response
    response.on('close', () => this.#end())
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    for (const object of initial) this.#write(this.#encode('ADDED', object))
    if (options.announceInitial && options.bookmarks) this.#write(this.#bookmark(revision, true))
    this.#later(() => this.#end(), options.seconds * 1000)
    if (options.bookmarks) this.#keepMarking()
    this.#hold(
      this.#api.store.watch(resourceKey(this.#route.definition), revision, {
        onChange: (change) => this.#pass(change),
        onExpired: () => {
          this.#write(line({ type: 'ERROR', object: statusOf(expired()) }))
          this.#end()
        },
      }),
    )
  }

  /** A selector turns a change into an add or a delete when the object comes into view or leaves it. */
  #pass({ type, object, previous }: Change): void {
    if (this.#route.namespace !== null && object.namespace !== this.#route.namespace) return
    const before = type !== 'ADDED' && this.#selection.matches(previous ?? object)
    const after = type !== 'DELETED' && this.#selection.matches(object)
    if (before && after) this.#write(this.#encode('MODIFIED', object))
    else if (after) this.#write(this.#encode('ADDED', object))
    else if (before) this.#write(this.#encode('DELETED', object))
  }

  #write(bytes: Buffer): void {
    if (this.#isOver) return
    this.#response.write(bytes)
    if (this.#response.writableLength <= LIMITS.watchBufferBytes.value) return
    this.#api.log.warn('watch closed: the client does not read', { resource: resourceKey(this.#route.definition) })
    this.#response.destroy()
    this.#end()
  }

  #keepMarking(): void {
    this.#later(() => void this.#mark().catch(() => this.#end()), LIMITS.watchBookmarkMs.value)
  }

  async #mark(): Promise<void> {
    const revision = await this.#api.store.revision()
    await turn()
    if (this.#isOver) return
    this.#write(this.#bookmark(revision, false))
    this.#keepMarking()
  }

  #bookmark(revision: number, endsInitial: boolean): Buffer {
    const { definition } = this.#route
    const annotations = endsInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
    const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...annotations }
    return line({ type: 'BOOKMARK', object: { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata } })
  }

  #later(run: () => void, ms: number): void {
    this.#hold(this.#api.clock.after(ms, run))
  }

  #hold(stop: () => void): void {
    if (this.#isOver) stop()
    else this.#stops.push(stop)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#response.end()
    this.#finish()
  }
}

const LINES: Readonly<Record<EventType, Recent<StoredObject, Buffer>>> = { ADDED: new Recent(), MODIFIED: new Recent(), DELETED: new Recent() }

function encoderOf(api: Api, call: Call, route: ResourceRoute): (type: EventType, object: StoredObject) => Buffer {
  if (call.wanted.as !== 'table') return plainLine
  const form = tableForm(call.wanted.version, call.query)
  let isFirst = true
  return (type, stored) => {
    const object = objectOf(stored)
    const rows = table(route.definition, [object], form, api.clock.nowMs(), { resourceVersion: object.metadata.resourceVersion }, isFirst)
    isFirst = false
    return line({ type, object: rows })
  }
}

function plainLine(type: EventType, stored: StoredObject): Buffer {
  return LINES[type].get(stored, () => Buffer.from(`{"type":"${type}","object":${stored.json}}\n`, 'utf8'))
}

function line(event: { readonly type: string; readonly object: KubeObject | Readonly<Record<string, unknown>> }): Buffer {
  return Buffer.from(`${JSON.stringify(event)}\n`, 'utf8')
}

/** null = the client has nothing yet: send what there is first */
function startOf(query: URLSearchParams): number | null {
  const text = query.get('resourceVersion') ?? ''
  if (text === '' || text === '0' || goBoolean(query.get('sendInitialEvents')) === true) return null
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`resourceVersion: ${JSON.stringify(text)} is not a decimal number`)
  return Number(text)
}

function secondsOf(query: URLSearchParams): number {
  const text = query.get('timeoutSeconds') ?? ''
  const max = LIMITS.watchMaxMs.value / 1000
  if (text === '' || text === '0') return max
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`timeoutSeconds: ${JSON.stringify(text)} is not a whole number`)
  return Math.min(Number(text), max)
}

function withoutPaging(query: URLSearchParams): URLSearchParams {
  const copy = new URLSearchParams(query)
  copy.delete('limit')
  copy.delete('continue')
  return copy
}
