/** `labelSelector` and `fieldSelector` of a query string, as one test on stored objects. */
import { parseFieldSelector, parseLabelSelector } from '../core/selector.ts'
import type { FieldRequirement, Read } from '../core/selector.ts'
import type { StoredObject } from '../ports.ts'
import { matchesRequirements } from '../resources/label-selector.ts'
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import { objectOf } from './api.ts'
import { badRequest } from './api-error.ts'
import type { ResourceRoute } from './route.ts'

export interface Selection {
  /** true = there is no selector */
  readonly all: boolean
  /** the one name that can match, when the selector names it */
  readonly only: string | null
  matches(object: StoredObject): boolean
}

/** Throws ApiError 400 with the selector and what is wrong with it. */
export function selectionOf(route: ResourceRoute, query: URLSearchParams): Selection {
  const requirements = read(parseLabelSelector(query.get('labelSelector') ?? ''))
  const fields = read(parseFieldSelector(query.get('fieldSelector') ?? ''))
  const tests = fields.map((field) => fieldTest(route.definition, field))
  const named = fields.find((field) => field.field === 'metadata.name' && field.equal)
  const only = route.name ?? named?.value ?? null
  if (route.name !== null) tests.push((object) => object.metadata.name === route.name)
  return {
    all: requirements.length === 0 && tests.length === 0,
    only,
    matches(stored) {
      if (only !== null && stored.name !== only) return false
      const object = objectOf(stored)
      return tests.every((test) => test(object)) && matchesRequirements(requirements, object.metadata.labels)
    },
  }
}

function read<T>(parsed: Read<T>): T {
  if (!parsed.ok) throw badRequest(parsed.why)
  return parsed.value
}

function fieldTest(definition: ResourceDefinition, { field: key, equal, value }: FieldRequirement): (object: KubeObject) => boolean {
  if (key === 'metadata.name') return (object) => (object.metadata.name === value) === equal
  if (key === 'metadata.namespace') return (object) => ((object.metadata.namespace ?? '') === value) === equal
  const readField = Object.hasOwn(definition.selectableFields, key) ? definition.selectableFields[key] : undefined
  if (readField === undefined) {
    const known = ['metadata.name', 'metadata.namespace', ...Object.keys(definition.selectableFields)].join(', ')
    throw badRequest(`fieldSelector: field label not supported: ${key}; ${definition.plural} can be selected by ${known}`)
  }
  return (object) => (readField(object) === value) === equal
}
