/** Event: something that happened to an object, for people. */
import { int, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { column, defineResource, nameCell } from './define.ts'
import { ageOf } from './human-duration.ts'
import { OBJECT_META } from './object.ts'

const STAMP = str({ max: 40 })
const WORD = str({ max: 253 })

export const OBJECT_REFERENCE = obj({
  kind: WORD,
  namespace: WORD,
  name: WORD,
  uid: WORD,
  apiVersion: WORD,
  resourceVersion: WORD,
  fieldPath: str({ max: 1024 }),
})

export const EVENT_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Event')),
  metadata: required(OBJECT_META),
  involvedObject: required(OBJECT_REFERENCE),
  reason: str({ max: 128 }),
  message: str({ max: 4096 }),
  source: obj({ component: WORD, host: WORD }),
  firstTimestamp: STAMP,
  lastTimestamp: STAMP,
  count: int(),
  type: str({ max: 64 }),
  eventTime: STAMP,
  series: obj({ count: int(), lastObservedTime: STAMP }),
  action: str({ max: 128 }),
  related: OBJECT_REFERENCE,
  reportingComponent: WORD,
  reportingInstance: str({ max: 128 }),
})
export type Event = Infer<typeof EVENT_SHAPE>

export const EVENTS = defineResource<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: EVENT_SHAPE,
  rules: namespaceIssues,
  columns: [
    column('Last Seen', 'string', 'Time since it happened last.'),
    column('Type', 'string', 'Normal or Warning.'),
    column('Reason', 'string', 'One word for why.'),
    column('Object', 'string', 'What it is about.'),
    column('Subobject', 'string', 'Part of the object.', { wide: true }),
    column('Source', 'string', 'Who reported it.', { wide: true }),
    column('Message', 'string', 'What happened.'),
    column('First Seen', 'string', 'Time since it happened first.', { wide: true }),
    column('Count', 'string', 'How often it happened.', { wide: true }),
    column('Name', 'string', 'Name of the event.', { wide: true, format: 'name' }),
  ],
  cells: (event, nowMs) => {
    const first = ageOf(event.firstTimestamp ?? event.eventTime, nowMs)
    const last = event.lastTimestamp === undefined ? first : ageOf(event.lastTimestamp, nowMs)
    return [
      event.series?.lastObservedTime === undefined ? last : ageOf(event.series.lastObservedTime, nowMs),
      event.type ?? '',
      event.reason ?? '',
      objectCell(event),
      event.involvedObject.fieldPath ?? '',
      sourceCell(event),
      (event.message ?? '').trim(),
      first,
      // events of the newer kind have no count when they happened once
      event.series?.count ?? (event.count === undefined || event.count === 0 ? 1 : event.count),
      nameCell(event),
    ]
  },
  selectableFields: {
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component ?? event.reportingComponent ?? '',
    type: (event) => event.type ?? '',
  },
})

function objectCell({ involvedObject: { kind = '', name = '' } }: Event): string {
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`
}

function sourceCell({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component ?? reportingComponent ?? ''
  const host = source?.host ?? reportingInstance ?? ''
  return host === '' ? component : `${component}, ${host}`
}

/** An event lives beside its object; events about objects without a namespace live in `default`. */
function namespaceIssues(event: Event): readonly Issue[] {
  const about = event.involvedObject.namespace ?? ''
  const want = about === '' ? 'default' : about
  if (event.metadata.namespace === undefined || event.metadata.namespace === want) return []
  return [
    {
      path: 'involvedObject.namespace',
      kind: 'invalid',
      message: `the event must be in the namespace ${JSON.stringify(want)}, is in ${JSON.stringify(event.metadata.namespace)}`,
    },
  ]
}
