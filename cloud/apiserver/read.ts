/** GET of one object and of lists. Stored texts are sent as they are; only selectors and tables need the decoded object. */
import { LIMITS } from '../../protocol/limits.ts'
import type { ListOptions, StoredObject } from '../ports.ts'
import { resourceKey } from '../resources/object.ts'
import type { ResourceDefinition } from '../resources/object.ts'
import { apiVersionOf } from '../resources/registry.ts'
import { objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { badRequest, expired, notFound } from './api-error.ts'
import { encoded, ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { selectionOf } from './selection.ts'
import type { Selection } from './selection.ts'
import { table, tableForm } from './table.ts'

export async function getOne(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const stored = await storedAt(api, route)
  if (call.wanted.as !== 'table') return encoded(stored.json)
  const object = objectOf(stored)
  const form = tableForm(call.wanted.version, call.query)
  return ok(table(route.definition, [object], form, api.clock.nowMs(), { resourceVersion: object.metadata.resourceVersion }))
}

/** Throws 404 when nothing is stored under the route's name. */
export async function storedAt(api: Api, route: ResourceRoute): Promise<StoredObject> {
  const name = route.name ?? ''
  const stored = await api.store.get(resourceKey(route.definition), route.namespace ?? '', name)
  if (stored === null) throw notFound(route.definition, name)
  return stored
}

export interface Page {
  readonly items: readonly StoredObject[]
  readonly revision: number
  readonly continueFrom: string | null
  /** null = not known: selectors dropped some */
  readonly remaining: number | null
}

export async function list(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const page = await pageOf(api, call.query, route)
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continueFrom === null ? {} : { continue: page.continueFrom }),
    ...(page.continueFrom === null || page.remaining === null ? {} : { remainingItemCount: page.remaining }),
  }
  const { definition } = route
  if (call.wanted.as === 'table') {
    const form = tableForm(call.wanted.version, call.query)
    return ok(
      table(
        definition,
        page.items.map((item) => objectOf(item)),
        form,
        api.clock.nowMs(),
        metadata,
      ),
    )
  }
  return encoded(listJson(definition, metadata, page.items))
}

/** The list document, with the stored texts as its items. */
export function listJson(definition: ResourceDefinition, metadata: Readonly<Record<string, unknown>>, items: readonly StoredObject[]): string {
  const head = JSON.stringify({ kind: `${definition.kind}List`, apiVersion: apiVersionOf(definition), metadata }).slice(0, -1)
  return `${head},"items":[${items.map((item) => item.json).join(',')}]}`
}

/** Throws 410 when a continued list is older than the history. */
export async function pageOf(api: Api, query: URLSearchParams, route: ResourceRoute): Promise<Page> {
  const selection = selectionOf(route, query)
  const limit = limitOf(query)
  const continueFrom = query.get('continue') ?? ''
  if (selection.only !== null && route.definition.namespaced === (route.namespace !== null)) return onlyOne(api, route, selection, selection.only)
  const base: ListOptions = route.namespace === null ? {} : { namespace: route.namespace }
  return fill(api, route, base, selection, limit, continueFrom === '' ? null : continueFrom)
}

/** The revision is read first: a watch from it may repeat a change, but cannot miss one. */
async function onlyOne(api: Api, route: ResourceRoute, selection: Selection, name: string): Promise<Page> {
  const revision = await api.store.revision()
  const stored = await api.store.get(resourceKey(route.definition), route.namespace ?? '', name)
  const items = stored !== null && selection.matches(stored) ? [stored] : []
  return { items, revision, continueFrom: null, remaining: null }
}

/** Reads pages of the store until the client's page is at least half full: a page never exceeds its limit, and few round trips are made. */
async function fill(
  api: Api,
  route: ResourceRoute,
  base: ListOptions,
  selection: Selection,
  limit: number | null,
  start: string | null,
): Promise<Page> {
  const items: StoredObject[] = []
  let continueFrom = start
  for (;;) {
    const room = limit === null ? {} : { limit: limit - items.length }
    const listed = await api.store.list(resourceKey(route.definition), { ...base, ...room, ...(continueFrom === null ? {} : { continueFrom }) })
    if (!listed.ok) throw expired('the continue token is too old or not valid; start the list again without it')
    items.push(...(selection.all ? listed.items : listed.items.filter((item) => selection.matches(item))))
    continueFrom = listed.continueFrom
    if (continueFrom === null || (limit !== null && items.length * 2 >= limit)) {
      return { items, revision: listed.revision, continueFrom, remaining: selection.all ? listed.remaining : null }
    }
  }
}

function limitOf(query: URLSearchParams): number | null {
  const text = query.get('limit') ?? ''
  if (text === '' || text === '0') return null
  const limit = Number(text)
  if (!Number.isSafeInteger(limit) || limit < 0) throw badRequest(`limit: ${JSON.stringify(text)} is not a whole number`)
  return Math.min(limit, LIMITS.listPage.value)
}
