/** Which verb a request on a resource is: method, path and query decide. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { resourceKey } from '../resources/object.ts'
import type { Api, Call } from './api.ts'
import { ApiError, badRequest, noSuchPath } from './api-error.ts'
import { patch, replace } from './change.ts'
import { create } from './create.ts'
import { goBoolean } from './negotiate.ts'
import { podPart } from './pod-parts.ts'
import { getOne, list } from './read.ts'
import { remove, removeCollection } from './remove.ts'
import { send } from './respond.ts'
import { rolloutPart } from './rollout-parts.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { changeScale, getScale } from './scale.ts'
import { watch } from './watch.ts'

export async function onResource(api: Api, call: Call, route: ResourceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const watching = goBoolean(call.query.get('watch'))
  if (watching === null) throw badRequest(`watch: ${JSON.stringify(call.query.get('watch'))} is not true or false`)
  if (watching && call.method === 'GET' && route.subresource === null) return watch(api, call, route, response)
  await send(request, response, await answerOf(api, call, route), call.warnings)
}

async function answerOf(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  if (route.name === null) return onCollection(api, call, route)
  switch (route.subresource) {
    case null:
      return onObject(api, call, route)
    case 'status':
      if (!route.definition.hasStatus || call.method === 'DELETE') throw noSuchPath()
      return onObject(api, call, route)
    case 'scale':
      if (!route.definition.hasScale) throw noSuchPath()
      return isRead(call) ? getScale(api, route) : changeScale(api, onlyMethods(call, 'PUT', 'PATCH'), route)
    default:
      if (resourceKey(route.definition) === 'rollouts.skerry.dev') return rolloutPart(api, call, route)
      if (route.definition.plural !== 'pods' || route.definition.group !== '') throw noSuchPath()
      return podPart(api, call, route)
  }
}

async function onCollection(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  if (isRead(call)) return list(api, call, route)
  if (call.method === 'POST') return create(api, call, route)
  if (call.method === 'DELETE' && route.definition.namespaced === (route.namespace !== null)) return removeCollection(api, call, route)
  throw notAllowed(call)
}

async function onObject(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  if (isRead(call)) return getOne(api, call, route)
  if (call.method === 'PUT') return replace(api, call, route)
  if (call.method === 'PATCH') return patch(api, call, route)
  if (call.method === 'DELETE') return remove(api, call, route)
  throw notAllowed(call)
}

function isRead(call: Call): boolean {
  return call.method === 'GET' || call.method === 'HEAD'
}

function onlyMethods(call: Call, ...methods: readonly string[]): Call {
  if (!methods.includes(call.method)) throw notAllowed(call)
  return call
}

function notAllowed(call: Call): ApiError {
  return new ApiError(405, 'MethodNotAllowed', `the server does not allow ${call.method} on the requested resource`)
}
