/** Answers about the server itself: version, health, discovery, OpenAPI. */
import type { Api, Call } from './api.ts'
import { noSuchPath } from './api-error.ts'
import { aggregated, aggregatedType, apiVersions, groupList, oneGroup, resourceList } from './discovery.ts'
import { healthAnswer } from './health.ts'
import type { Health } from './health.ts'
import type { OpenApi } from './openapi.ts'
import { encoded, ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { Route } from './route.ts'

/** The Kubernetes minor whose API is followed; kubectl warns when it is more than one away. */
const KUBERNETES = { major: '1', minor: '31', gitVersion: 'v1.31.0+skerry.0' }

type AboutRoute = Exclude<Route, { kind: 'resource' | 'review' | 'other' }>

export function aboutServer(
  parts: { readonly api: Api; readonly openApi: OpenApi; readonly health?: Health | undefined },
  call: Call,
  route: AboutRoute,
): Answer {
  const { catalog } = parts.api
  switch (route.kind) {
    case 'plain':
      return plain(route.path, call, parts.health)
    case 'api-versions':
      return call.wanted.as === 'discovery' ? discovery(parts.api, 'api', call.wanted.version) : ok(apiVersions())
    case 'groups':
      return call.wanted.as === 'discovery' ? discovery(parts.api, 'apis', call.wanted.version) : ok(groupList(catalog))
    case 'group':
      return found(oneGroup(catalog, route.group))
    case 'resources':
      return found(resourceList(catalog, route))
    case 'openapi-index':
      return encoded(parts.openApi.index)
    case 'openapi-document':
      return document(parts.openApi.document(route.group, route.version))
    case 'nothing':
      throw noSuchPath()
  }
}

function plain(path: string, call: Call, health: Health | undefined): Answer {
  if (path === '/version') {
    const build = { gitCommit: '', gitTreeState: 'clean', buildDate: '1970-01-01T00:00:00Z', goVersion: 'none', compiler: 'none' }
    return ok({ ...KUBERNETES, ...build, platform: `${process.platform}/${process.arch}` })
  }
  // an empty protobuf document: valid, says nothing, and kubectl apply needs an answer here
  if (path === '/openapi/v2') return { code: 200, json: '', type: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' }
  return healthAnswer(path, call.query, health)
}

function discovery(api: Api, root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Answer {
  return { code: 200, json: JSON.stringify(aggregated(api.catalog, root, version)), type: aggregatedType(version) }
}

function found(value: Readonly<Record<string, unknown>> | null): Answer {
  if (value === null) throw noSuchPath()
  return ok(value)
}

function document(text: string | null): Answer {
  if (text === null) throw noSuchPath()
  return encoded(text)
}
