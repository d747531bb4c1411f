/** How a request is counted: by kind of thing, never by name, so that no client can make series. */
import type { Api } from './api.ts'
import { routeOf } from './route.ts'

const OWN = new Set(['console', 'skerry', 'metrics'])

export function meterLabels(api: Api, method: string | undefined, url: URL, code: number): Readonly<Record<string, string>> {
  return { route: routeLabel(api, url), method: method ?? '', code: String(code) }
}

function routeLabel(api: Api, url: URL): string {
  const route = routeOf(url.pathname, (group, version, plural) => api.catalog.find(group, version, plural))
  switch (route.kind) {
    case 'resource': {
      const { group, plural } = route.definition
      return group === '' ? plural : `${plural}.${group}`
    }
    case 'plain':
      return route.path
    case 'other': {
      const first = url.pathname.split('/')[1] ?? ''
      return OWN.has(first) ? first : 'other'
    }
    default:
      return route.kind
  }
}
