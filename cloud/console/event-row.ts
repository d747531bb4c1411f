import { keyOf } from '../core/meta.ts'
import type { Event } from '../resources/event.ts'
import { stamp } from './pod-row.ts'
import type { EventRow } from './view-model.ts'

/** An API event as a row. */
export function eventRow(event: Event): EventRow {
  const { kind = '', namespace = '', name = '' } = event.involvedObject
  return {
    key: keyOf(event),
    warning: event.type === 'Warning',
    reason: event.reason ?? '',
    about: `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`,
    message: event.message ?? '',
    by: event.reportingComponent ?? event.source?.component ?? '',
    count: event.series?.count ?? event.count ?? 1,
    atMs:
      stamp(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp) ??
      0,
  }
}
