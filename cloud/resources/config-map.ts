/** ConfigMap: plain settings. */
import { bool, map, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { base64Issues, dataKeyIssues, dataSizeIssues, immutableIssues } from './data-rules.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

export const CONFIG_MAP_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('ConfigMap')),
  metadata: required(OBJECT_META),
  data: map(str()),
  binaryData: map(str()),
  immutable: bool(),
})
export type ConfigMap = Infer<typeof CONFIG_MAP_SHAPE>

export const CONFIG_MAPS = defineResource<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: CONFIG_MAP_SHAPE,
  rules: (configMap, old) => {
    const { data = {}, binaryData = {} } = configMap
    const both = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key))
    return [
      ...dataKeyIssues(data, 'data'),
      ...dataKeyIssues(binaryData, 'binaryData'),
      ...both.map((key) => ({ path: `binaryData[${JSON.stringify(key)}]`, kind: 'invalid', message: 'the key is also in data' }) as const),
      ...base64Issues(binaryData, 'binaryData'),
      ...dataSizeIssues([data, binaryData], 'data'),
      ...immutableIssues(configMap, old),
    ]
  },
  columns: [NAME_COLUMN, column('Data', 'integer', 'Number of entries.'), AGE_COLUMN],
  cells: (configMap, nowMs) => [
    nameCell(configMap),
    Object.keys(configMap.data ?? {}).length + Object.keys(configMap.binaryData ?? {}).length,
    ageCell(configMap, nowMs),
  ],
})
