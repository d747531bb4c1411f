/** Kubernetes Event objects: one per (object, reason, message), counted when it happens again. */
import { digestOf } from '../../protocol/revision.ts'
import { clip } from '../../protocol/limits.ts'
import type { Event } from '../resources/event.ts'
import type { KubeObject } from '../resources/object.ts'
import { nameOf, namespaceOf, uidOf } from './meta.ts'

export interface Happening {
  readonly about: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** which controller says it */
  readonly component: string
}

/** The same happening has the same name, whichever process records it. */
export function eventName({ about, type, reason, message, component }: Happening): string {
  return `${nameOf(about).slice(0, 200)}.${digestOf([about.kind, uidOf(about), type, reason, message, component]).slice(0, 16)}`
}

export function nextEvent(before: Event | null, happening: Happening, nowIso: string): Event {
  if (before !== null) return { ...before, count: (before.count ?? 1) + 1, lastTimestamp: nowIso }
  const { about, type, reason, message, component } = happening
  const namespace = namespaceOf(about)
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // events about objects without a namespace live in `default`, as in Kubernetes
    metadata: { name: eventName(happening), namespace: namespace === '' ? 'default' : namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name: nameOf(about),
      uid: uidOf(about),
      ...(namespace === '' ? {} : { namespace }),
    },
    type,
    reason,
    message: clip(message),
    source: { component },
    reportingComponent: component,
    firstTimestamp: nowIso,
    lastTimestamp: nowIso,
    count: 1,
  }
}
