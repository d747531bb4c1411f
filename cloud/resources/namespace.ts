/** Namespace: a room for names. */
import { isDnsLabel } from '../../protocol/ids.ts'
import { list, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { CONDITION, OBJECT_META } from './object.ts'

const NAME_LABEL = 'kubernetes.io/metadata.name'

export const NAMESPACE_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Namespace')),
  metadata: required(OBJECT_META),
  spec: obj({ finalizers: list(str({ max: 256 }), { max: 16 }) }),
  status: obj({ phase: oneOf('Active', 'Terminating'), conditions: list(CONDITION, { mergeKey: 'type', max: 64 }) }),
})
export type Namespace = Infer<typeof NAMESPACE_SHAPE>

export const NAMESPACES = defineResource<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  nameRule: 'label',
  shape: NAMESPACE_SHAPE,
  hasStatus: true,
  defaults: (namespace) => {
    const { name, labels } = namespace.metadata
    return {
      ...namespace,
      // Kubernetes labels each namespace with its own name so that selectors can choose it
      metadata: !isDnsLabel(name) ? namespace.metadata : { ...namespace.metadata, labels: { ...labels, [NAME_LABEL]: name } },
      spec: namespace.spec ?? {},
      status: { ...namespace.status, phase: namespace.status?.phase ?? 'Active' },
    }
  },
  columns: [NAME_COLUMN, column('Status', 'string', 'Active, or Terminating while its objects are removed.'), AGE_COLUMN],
  cells: (namespace, nowMs) => [nameCell(namespace), namespace.status?.phase ?? '', ageCell(namespace, nowMs)],
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
})
