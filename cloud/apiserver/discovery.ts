/** What the server offers, in both forms that clients ask for: one document for each group, or all in one ("aggregated"). */
import type { ResourceDefinition } from '../resources/object.ts'
import { apiVersionOf } from '../resources/registry.ts'
import type { Catalog, GroupVersion } from './catalog.ts'
import { REVIEWS } from './route.ts'

type Json = Readonly<Record<string, unknown>>

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const PART_VERBS = ['get', 'patch', 'update']

export function apiVersions(): Json {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
}

export function groupList(catalog: Catalog): Json {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: catalog.groups().map((group) => groupOf(group)) }
}

/** null when the group is not served */
export function oneGroup(catalog: Catalog, name: string): Json | null {
  const group = catalog.groups().find((known) => known.name === name)
  return group === undefined ? null : { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) }
}

function groupOf(group: { readonly name: string; readonly versions: readonly string[] }): Json {
  const versions = group.versions.map((version) => ({ groupVersion: `${group.name}/${version}`, version }))
  return { name: group.name, versions, preferredVersion: versions[0] }
}

/** null when the group and version are not served */
export function resourceList(catalog: Catalog, at: GroupVersion): Json | null {
  const definitions = catalog.in(at.group, at.version)
  if (definitions === null) return null
  const kinds = definitions.flatMap((definition) => [mainEntry(definition), ...partsOf(definition).map((part) => partEntry(definition, part))])
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(at), resources: [...kinds, ...reviewEntries(at)] }
}

interface Part {
  readonly name: string
  readonly kind: string
  readonly gv?: GroupVersion
  readonly verbs: readonly string[]
}

function partsOf(definition: ResourceDefinition): readonly Part[] {
  const parts: Part[] = []
  if (definition.hasStatus) parts.push({ name: 'status', kind: definition.kind, verbs: PART_VERBS })
  if (definition.hasScale) parts.push({ name: 'scale', kind: 'Scale', gv: { group: 'autoscaling', version: 'v1' }, verbs: PART_VERBS })
  if (definition.group === '' && definition.plural === 'pods') {
    parts.push({ name: 'eviction', kind: 'Eviction', gv: { group: 'policy', version: 'v1' }, verbs: ['create'] })
    parts.push({ name: 'binding', kind: 'Binding', verbs: ['create'] })
  }
  if (definition.group === 'skerry.dev' && definition.plural === 'rollouts') {
    parts.push({ name: 'actions', kind: 'Rollout', verbs: ['create'] })
    parts.push({ name: 'members', kind: 'RolloutMemberList', verbs: ['get'] })
  }
  return parts
}

function mainEntry(definition: ResourceDefinition): Json {
  return {
    name: definition.plural,
    singularName: definition.singular,
    namespaced: definition.namespaced,
    kind: definition.kind,
    verbs: VERBS,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
  }
}

function partEntry(definition: ResourceDefinition, part: Part): Json {
  const { plural, namespaced } = definition
  return { name: `${plural}/${part.name}`, singularName: '', namespaced, ...part.gv, kind: part.kind, verbs: part.verbs }
}

function reviewEntries(at: GroupVersion): readonly Json[] {
  const prefix = `${at.group}/${at.version}/`
  return Object.entries(REVIEWS)
    .filter(([path]) => path.startsWith(prefix))
    .map(([path, kind]) => ({ name: path.slice(prefix.length), singularName: kind.toLowerCase(), namespaced: false, kind, verbs: ['create'] }))
}

/** `root` 'api' = the core group only, 'apis' = all named groups: clients ask for both. */
export function aggregated(catalog: Catalog, root: 'api' | 'apis', version: 'v2' | 'v2beta1'): Json {
  const groups = root === 'api' ? [{ name: '', versions: ['v1'] }] : catalog.groups()
  const items = groups.map((group) => ({
    metadata: { name: group.name, creationTimestamp: null },
    versions: group.versions.map((of) => ({
      version: of,
      freshness: 'Current',
      resources: aggregatedResources(catalog, { group: group.name, version: of }),
    })),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
}

export function aggregatedType(version: 'v2' | 'v2beta1'): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
}

function aggregatedResources(catalog: Catalog, at: GroupVersion): readonly Json[] {
  const kinds = (catalog.in(at.group, at.version) ?? []).map((definition) => ({
    resource: definition.plural,
    responseKind: responseKind(definition, definition.kind),
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: VERBS,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    subresources: partsOf(definition).map((part) => ({
      subresource: part.name,
      responseKind: responseKind(part.gv ?? definition, part.kind),
      verbs: part.verbs,
    })),
  }))
  const reviews = reviewEntries(at).map((entry) => ({
    resource: entry['name'],
    responseKind: responseKind(at, String(entry['kind'])),
    scope: 'Cluster',
    singularResource: entry['singularName'],
    verbs: ['create'],
  }))
  return [...kinds, ...reviews]
}

function responseKind(at: GroupVersion, kind: string): Json {
  return { group: at.group, version: at.version, kind }
}
