/**
 * NodeResourceTopology (topology.node.k8s.io/v1alpha2): what each NUMA node of a device has and how far the nodes are apart. The
 * kind of the node-feature-discovery project, so that tools which read it there read it here.
 */
import { int, list, obj, oneOf, quantity, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

const ATTRIBUTES = list(obj({ name: required(str({ min: 1, max: 253 })), value: required(str({ max: 4096 })) }), { mergeKey: 'name', max: 64 })

export const ZONE = obj({
  /** `node-<id>` for NUMA nodes */
  name: required(str({ min: 1, max: 253 })),
  type: required(str({ min: 1, max: 64 })),
  parent: str({ max: 253 }),
  /** distance to each zone, itself included */
  costs: list(obj({ name: required(str({ max: 253 })), value: required(int()) }), { mergeKey: 'name', max: 1024 }),
  attributes: ATTRIBUTES,
  resources: list(
    obj({
      name: required(str({ min: 1, max: 316 })),
      capacity: required(quantity()),
      allocatable: required(quantity()),
      /** what the device itself leaves free; the scheduler subtracts what it has placed since */
      available: required(quantity()),
    }),
    { mergeKey: 'name', max: 128 },
  ),
})

export const NODE_RESOURCE_TOPOLOGY_SHAPE = obj({
  apiVersion: required(oneOf('topology.node.k8s.io/v1alpha2')),
  kind: required(oneOf('NodeResourceTopology')),
  metadata: required(OBJECT_META),
  /** deprecated by the project in favour of attributes; kept for older clients */
  topologyPolicies: list(str({ max: 64 }), { max: 8 }),
  zones: required(list(ZONE, { mergeKey: 'name', max: 1024 })),
  attributes: ATTRIBUTES,
})
export type Zone = Infer<typeof ZONE>
export type NodeResourceTopology = Infer<typeof NODE_RESOURCE_TOPOLOGY_SHAPE>

export const NODE_RESOURCE_TOPOLOGIES = defineResource<NodeResourceTopology>({
  group: 'topology.node.k8s.io',
  version: 'v1alpha2',
  kind: 'NodeResourceTopology',
  plural: 'noderesourcetopologies',
  shortNames: ['node-res-topo'],
  namespaced: false,
  nameRule: 'subdomain',
  shape: NODE_RESOURCE_TOPOLOGY_SHAPE,
  generationFields: ['zones', 'attributes'],
  columns: [
    NAME_COLUMN,
    column('Zones', 'integer', 'How many NUMA nodes the device has.'),
    column('Policy', 'string', 'How the device aligns what it is given.'),
    AGE_COLUMN,
  ],
  cells: (topology, nowMs) => [
    nameCell(topology),
    topology.zones.length,
    topology.attributes?.find((one) => one.name === 'topologyManagerPolicy')?.value ?? '',
    ageCell(topology, nowMs),
  ],
})
