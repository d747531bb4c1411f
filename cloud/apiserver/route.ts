/** The URL grammar of Kubernetes: which request is meant by a path. Pure; the table of kinds decides what exists. */
import type { ResourceDefinition } from '../resources/object.ts'

export type Route =
  | { readonly kind: 'plain'; readonly path: string }
  | { readonly kind: 'api-versions' }
  | { readonly kind: 'groups' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'resources'; readonly group: string; readonly version: string }
  | { readonly kind: 'openapi-index' }
  | { readonly kind: 'openapi-document'; readonly group: string; readonly version: string }
  | { readonly kind: 'review'; readonly review: string }
  | ResourceRoute
  /** under /api or /apis, but nothing that is served */
  | { readonly kind: 'nothing' }
  /** not the API's: the console, the join document */
  | { readonly kind: 'other' }

export interface ResourceRoute {
  readonly kind: 'resource'
  readonly definition: ResourceDefinition
  /** null = every namespace, or a cluster-scoped kind */
  readonly namespace: string | null
  readonly name: string | null
  readonly subresource: string | null
}

export type FindKind = (group: string, version: string, plural: string) => ResourceDefinition | null

export const REVIEWS: Readonly<Record<string, string>> = {
  'authorization.k8s.io/v1/selfsubjectaccessreviews': 'SelfSubjectAccessReview',
  'authorization.k8s.io/v1/selfsubjectrulesreviews': 'SelfSubjectRulesReview',
  'authentication.k8s.io/v1/selfsubjectreviews': 'SelfSubjectReview',
}

const PLAIN = new Set(['/version', '/healthz', '/livez', '/readyz', '/openapi/v2'])

/** `path` is still percent-encoded; a segment that does not decode is answered like one that does not exist. */
export function routeOf(path: string, find: FindKind): Route {
  const clean = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  if (PLAIN.has(clean)) return { kind: 'plain', path: clean }
  const segments = decode(clean)
  if (segments === null) return { kind: 'nothing' }
  const [first, ...rest] = segments
  if (first === 'api') return rest.length === 0 ? { kind: 'api-versions' } : underVersion('', rest, find)
  if (first === 'apis') return underApis(rest, find)
  if (first === 'openapi' && rest[0] === 'v3') return openapi(rest.slice(1))
  return { kind: 'other' }
}

function decode(path: string): readonly string[] | null {
  try {
    return path
      .slice(1)
      .split('/')
      .map((segment) => decodeURIComponent(segment))
  } catch {
    return null
  }
}

function underApis(rest: readonly string[], find: FindKind): Route {
  const [group, ...more] = rest
  if (group === undefined) return { kind: 'groups' }
  if (more.length === 0) return { kind: 'group', group }
  return underVersion(group, more, find)
}

function openapi(rest: readonly string[]): Route {
  if (rest.length === 0) return { kind: 'openapi-index' }
  const [root, a, b] = rest
  if (root === 'api' && a !== undefined && rest.length === 2) return { kind: 'openapi-document', group: '', version: a }
  if (root === 'apis' && a !== undefined && b !== undefined && rest.length === 3) return { kind: 'openapi-document', group: a, version: b }
  return { kind: 'nothing' }
}

function underVersion(group: string, rest: readonly string[], find: FindKind): Route {
  const [version, ...path] = rest
  if (version === undefined) return { kind: 'nothing' }
  if (path.length === 0) return { kind: 'resources', group, version }
  const review = path.length === 1 ? REVIEWS[`${group}/${version}/${path[0] ?? ''}`] : undefined
  if (review !== undefined) return { kind: 'review', review }
  const inNamespace = path[0] === 'namespaces' && path.length > 2 && path[2] !== 'status' && path[2] !== 'finalize'
  const [plural, name, ...sub] = inNamespace ? path.slice(2) : path
  const definition = plural === undefined ? null : find(group, version, plural)
  if (definition === null || sub.length > 1 || path.includes('') || inNamespace !== isNamespacedUse(definition, inNamespace, name))
    return { kind: 'nothing' }
  return { kind: 'resource', definition, namespace: inNamespace ? (path[1] ?? null) : null, name: name ?? null, subresource: sub[0] ?? null }
}

/** A namespaced kind has its namespace in the path, except for a list over all namespaces; a cluster-scoped kind never has. */
function isNamespacedUse(definition: ResourceDefinition, inNamespace: boolean, name: string | undefined): boolean {
  if (!definition.namespaced) return false
  return name === undefined ? inNamespace : true
}
