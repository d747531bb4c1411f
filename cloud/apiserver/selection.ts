/** `labelSelector` and `fieldSelector` of a query string, as one test on stored objects. */
import type { StoredObject } from '../ports.ts'
import { matchesRequirements } from '../resources/label-selector.ts'
import type { Requirement } from '../resources/label-selector.ts'
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
  const labels = query.get('labelSelector') ?? ''
  const fields = fieldRequirements(query.get('fieldSelector') ?? '')
  const tests = fields.map((field) => fieldTest(route.definition, field))
  const requirements = labels.trim() === '' ? [] : parseLabelSelector(labels)
  const named = fields.find((field) => field.key === 'metadata.name' && field.equal)
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

const KEY = String.raw`[A-Za-z0-9][-A-Za-z0-9_./]*`
const VALUE = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?`
const SET = new RegExp(String.raw`^(${KEY})\s+(in|notin)\s*\(([^()]*)\)$`)
const EQUAL = new RegExp(String.raw`^(${KEY})\s*(==|=|!=)\s*(${VALUE})?$`)
const ONE_VALUE = new RegExp(`^${VALUE}$`)
const EXISTS = new RegExp(String.raw`^(!?)\s*(${KEY})$`)

/** The grammar of `kubectl -l`: `a=b,c!=d,e in (f,g),h,!i`. */
export function parseLabelSelector(text: string): readonly Requirement[] {
  // a comma inside parentheses separates values, not requirements
  return text.split(/,(?![^(]*\))/).map((part) => requirementOf(part.trim(), text))
}

function requirementOf(part: string, whole: string): Requirement {
  const set = SET.exec(part)
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    if (values.every((value) => value === '' || ONE_VALUE.test(value))) return { key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values }
  }
  const equal = EQUAL.exec(part)
  if (equal !== null) return { key: equal[1] ?? '', operator: equal[2] === '!=' ? '!=' : '=', values: [equal[3] ?? ''] }
  const exists = EXISTS.exec(part)
  if (exists !== null) return { key: exists[2] ?? '', operator: exists[1] === '!' ? 'absent' : 'exists', values: [] }
  const example = 'write for example "app=web,tier!=db,zone in (a,b),gpu,!old"'
  throw badRequest(`labelSelector: unable to parse ${JSON.stringify(part)} in ${JSON.stringify(whole)}; ${example}`)
}

interface FieldRequirement {
  readonly key: string
  readonly equal: boolean
  readonly value: string
}

function fieldRequirements(text: string): readonly FieldRequirement[] {
  const parts = text.split(/(?<!\\),/).map((part) => part.trim()).filter((part) => part !== '')
  return parts.map((part) => {
    const match = /^([A-Za-z][A-Za-z0-9.]*)(!=|==|=)(.*)$/.exec(part)
    if (match === null) throw badRequest(`fieldSelector: unable to parse ${JSON.stringify(part)}; write for example "metadata.name=a,status.phase!=b"`)
    return { key: match[1] ?? '', equal: match[2] !== '!=', value: (match[3] ?? '').replace(/\\([\\,=])/g, '$1') }
  })
}

function fieldTest(definition: ResourceDefinition, { key, equal, value }: FieldRequirement): (object: KubeObject) => boolean {
  if (key === 'metadata.name') return (object) => (object.metadata.name === value) === equal
  if (key === 'metadata.namespace') return (object) => ((object.metadata.namespace ?? '') === value) === equal
  const read = Object.hasOwn(definition.selectableFields, key) ? definition.selectableFields[key] : undefined
  if (read === undefined) {
    const known = ['metadata.name', 'metadata.namespace', ...Object.keys(definition.selectableFields)].join(', ')
    throw badRequest(`fieldSelector: field label not supported: ${key}; ${definition.plural} can be selected by ${known}`)
  }
  return (object) => (read(object) === value) === equal
}
