/** What a request did, for the audit log: noted when it is understood, told when it is answered. Reads and dry runs are no acts. */
import type { IncomingMessage } from 'node:http'
import { isRecord } from '../../protocol/shape.ts'
import type { AuditEntry, AuditLog, Clock } from '../ports.ts'
import { REASON_ANNOTATION } from '../resources/rollout-history.ts'
import type { Call } from './api.ts'
import type { ResourceRoute } from './route.ts'

type Act = Omit<AuditEntry, 'atMs' | 'status'>

const acts = new WeakMap<IncomingMessage, Act>()
const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
/** Controllers of other programs write these all the time; nobody decides there. */
const CHATTER: ReadonlySet<string> = new Set(['events', 'leases'])

export function noteAct(request: IncomingMessage, route: ResourceRoute, call: Call): void {
  const verb = VERBS[call.method]
  const { plural } = route.definition
  if (verb === undefined || call.query.has('dryRun') || CHATTER.has(plural)) return
  const body = isRecord(call.body) ? call.body : {}
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {}
  const annotations = isRecord(metadata['annotations']) ? metadata['annotations'] : {}
  acts.set(request, {
    who: call.principal.name,
    verb: route.subresource === null ? verb : actionOf(body) || `${verb} ${route.subresource}`,
    resource: plural,
    namespace: route.namespace ?? '',
    name: route.name ?? textOf(metadata['name'] ?? metadata['generateName']),
    reason: textOf(body['reason'] ?? annotations[REASON_ANNOTATION] ?? call.query.get('reason')),
  })
}

export function noteDeviceAct(request: IncomingMessage, act: Act): void {
  acts.set(request, act)
}

/** For the handler: records what was noted, with how it ended. */
export function auditor(log: AuditLog, clock: Clock): (request: IncomingMessage, status: number) => void {
  return (request, status) => {
    const act = acts.get(request)
    if (act !== undefined) log.record({ ...act, atMs: clock.nowMs(), status })
  }
}

function actionOf(body: Readonly<Record<string, unknown>>): string {
  return textOf(body['action'])
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 1024) : ''
}
