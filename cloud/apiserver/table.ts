/** Tables: what `kubectl get` prints. Cells come from the kind, the frame is here. */
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import { badRequest } from './api-error.ts'

type IncludeObject = 'None' | 'Metadata' | 'Object'
type Json = Readonly<Record<string, unknown>>

export interface TableForm {
  readonly version: 'v1' | 'v1beta1'
  readonly include: IncludeObject
}

export function tableForm(version: TableForm['version'], query: URLSearchParams): TableForm {
  const include = query.get('includeObject') ?? ''
  if (include === '' || include === 'Metadata') return { version, include: 'Metadata' }
  if (include === 'None' || include === 'Object') return { version, include }
  throw badRequest(`includeObject: ${JSON.stringify(include)} is not supported; use "None", "Metadata" or "Object"`)
}

/** `withColumns` false: later events of a watch, whose client has the columns already. */
export function table(
  definition: ResourceDefinition,
  objects: readonly KubeObject[],
  form: TableForm,
  nowMs: number,
  metadata: Json,
  withColumns = true,
): Json {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${form.version}`,
    metadata,
    columnDefinitions: withColumns ? definition.columns.map((column) => ({ format: '', description: '', ...column })) : null,
    rows: objects.map((object) => ({ cells: definition.cells(object, nowMs), object: rowObject(object, form) })),
  }
}

function rowObject(object: KubeObject, form: TableForm): Json | null {
  if (form.include === 'None') return null
  if (form.include === 'Object') return object
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.version}`, metadata: object.metadata }
}
