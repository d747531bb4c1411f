/**
 * OpenAPI v3, made from the shapes: it tells kubectl that the server validates fields and dry-runs, and feeds `kubectl explain`.
 * PATCH bodies are left out on purpose: kubectl then merges by the keys it was built with, which are the ones used here.
 */
import { createHash } from 'node:crypto'
import type { Shape } from '../../protocol/shape.ts'
import type { ResourceDefinition } from '../resources/object.ts'
import { apiVersionOf } from '../resources/registry.ts'
import type { Catalog, GroupVersion } from './catalog.ts'

type Json = Readonly<Record<string, unknown>>

export interface OpenApi {
  readonly index: string
  /** null when nothing is served under this group and version */
  document(group: string, version: string): string | null
}

/** Made once: the kinds do not change while the server runs. */
export function openApi(catalog: Catalog): OpenApi {
  const documents = new Map<string, string>()
  for (const at of [
    { group: '', version: 'v1' },
    ...catalog.groups().flatMap((group) => group.versions.map((version) => ({ group: group.name, version }))),
  ]) {
    documents.set(pathOf(at), JSON.stringify(documentOf(catalog.in(at.group, at.version) ?? [])))
  }
  const paths = Object.fromEntries([...documents].map(([path, text]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(text)}` }]))
  return { index: JSON.stringify({ paths }), document: (group, version) => documents.get(pathOf({ group, version })) ?? null }
}

function pathOf(at: GroupVersion): string {
  return at.group === '' ? `api/${at.version}` : `apis/${at.group}/${at.version}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase()
}

function documentOf(definitions: readonly ResourceDefinition[]): Json {
  return {
    openapi: '3.0.0',
    info: { title: 'Skerry', version: 'v1' },
    paths: Object.fromEntries(definitions.flatMap((definition) => pathsOf(definition))),
    components: { schemas: Object.fromEntries(definitions.map((definition) => [schemaName(definition), schemaOf(definition)])) },
  }
}

function pathsOf(definition: ResourceDefinition): readonly (readonly [string, Json])[] {
  const { group, version, kind, plural, namespaced } = definition
  const root = `/${pathOf(definition)}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`
  const gvk = { 'x-kubernetes-group-version-kind': { group, version, kind } }
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }))
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(definition)}` } } }
  const responses = { 200: { description: 'OK', content } }
  const read = { ...gvk, responses }
  const write = { ...gvk, parameters, responses }
  return [
    [root, { get: { ...read, 'x-kubernetes-action': 'list' }, post: { ...write, 'x-kubernetes-action': 'post' } }],
    [
      `${root}/{name}`,
      {
        get: { ...read, 'x-kubernetes-action': 'get' },
        put: { ...write, 'x-kubernetes-action': 'put' },
        patch: { ...write, 'x-kubernetes-action': 'patch' },
        delete: { ...write, 'x-kubernetes-action': 'delete' },
      },
    ],
  ]
}

function schemaName(definition: ResourceDefinition): string {
  return `dev.skerry.${apiVersionOf(definition).replace('/', '.')}.${definition.kind}`
}

function schemaOf(definition: ResourceDefinition): Json {
  const { group, version, kind } = definition
  return { ...shapeSchema(definition.shape), 'x-kubernetes-group-version-kind': [{ group, version, kind }] }
}

function shapeSchema(shape: Shape<unknown>): Json {
  switch (shape.kind) {
    case 'string':
      return { type: 'string', ...(shape.enum === undefined ? {} : { enum: shape.enum }) }
    case 'int':
      return { type: 'integer', format: 'int64' }
    case 'number':
      return { type: 'number' }
    case 'bool':
      return { type: 'boolean' }
    case 'quantity':
      return { type: 'string', format: 'quantity' }
    case 'intOrString':
      return { type: 'string', format: 'int-or-string', 'x-kubernetes-int-or-string': true }
    case 'any':
      return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    case 'list':
      return { type: 'array', ...(shape.of === undefined ? {} : { items: shapeSchema(shape.of) }) }
    case 'map':
      return { type: 'object', ...(shape.of === undefined ? {} : { additionalProperties: shapeSchema(shape.of) }) }
    case 'object':
      return objectSchema(shape.fields ?? {})
    case 'refused':
      return { type: 'object', description: `Not supported: ${shape.why ?? ''}` }
  }
}

/** Refused fields are not offered. */
function objectSchema(fields: Readonly<Record<string, Shape<unknown>>>): Json {
  const entries = Object.entries(fields).filter(([, field]) => field.kind !== 'refused')
  const needed = entries.filter(([, field]) => field.required === true).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, shapeSchema(field)])),
    ...(needed.length === 0 ? {} : { required: needed }),
  }
}
