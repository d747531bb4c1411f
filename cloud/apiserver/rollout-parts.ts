/** Parts of a Rollout: `GET .../NAME/members` reads who takes part, `GET .../NAME/progress` how it went, `POST .../NAME/actions` steers it. */
import { parseStamp } from '../../protocol/stamp.ts'
import { actOn, readAction } from '../core/rollout/actions.ts'
import { allowedFailures } from '../core/rollout/allowed.ts'
import { readMemberQuery, selectMembers } from '../core/rollout/member-list.ts'
import { progressOf } from '../core/rollout/progress.ts'
import { timeOf } from '../core/rollout/step-input.ts'
import { REASON_ANNOTATION } from '../resources/rollout-history.ts'
import { chunkName, ROLLOUT_MEMBERS } from '../resources/rollout-members.ts'
import type { RolloutMember, RolloutMembers } from '../resources/rollout-members.ts'
import type { Rollout } from '../resources/rollout.ts'
import { admitChange } from './admission.ts'
import { objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { ApiError, badRequest, noSuchPath } from './api-error.ts'
import { changed, stamped } from './change.ts'
import { storedAt } from './read.ts'
import { ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { isDryRun } from './write-options.ts'

export async function rolloutPart(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  if (route.subresource === 'members' && (call.method === 'GET' || call.method === 'HEAD')) return members(api, call, route)
  if (route.subresource === 'progress' && (call.method === 'GET' || call.method === 'HEAD')) return progress(api, route)
  if (route.subresource === 'actions' && call.method === 'POST') return act(api, call, route)
  if (['members', 'progress', 'actions'].includes(route.subresource ?? ''))
    throw new ApiError(405, 'MethodNotAllowed', `the server does not allow ${call.method} on the requested resource`)
  throw noSuchPath()
}

async function members(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const read = readMemberQuery((name) => call.query.get(name))
  if (!read.ok) throw badRequest(read.why)
  const rollout = objectOf(await storedAt(api, route)) as unknown as Rollout
  const { total, items } = selectMembers(await membersOf(api, rollout), read.query)
  const { resourceVersion = '' } = rollout.metadata
  return ok({ apiVersion: 'skerry.dev/v1', kind: 'RolloutMemberList', metadata: { resourceVersion, total, offset: read.query.offset }, items })
}

async function progress(api: Api, route: ResourceRoute): Promise<Answer> {
  const rollout = objectOf(await storedAt(api, route)) as unknown as Rollout
  const { status } = rollout
  const ended = status?.endedAt === undefined ? null : parseStamp(status.endedAt)
  const times = { startedMs: parseStamp(status?.startedAt ?? ''), endMs: ended ?? api.clock.nowMs() }
  const list = await membersOf(api, rollout)
  const allowed = allowedFailures(rollout.spec, list, timeOf(status?.toleratedUntil))
  return ok({ apiVersion: 'skerry.dev/v1', kind: 'RolloutProgress', ...progressOf(list, times, allowed) })
}

async function membersOf(api: Api, rollout: Rollout): Promise<readonly RolloutMember[]> {
  const { name = '', namespace = '', uid = '' } = rollout.metadata
  const chunks = await Promise.all(
    Array.from({ length: rollout.status?.chunks ?? 0 }, (_, index) => api.store.get(ROLLOUT_MEMBERS, namespace, chunkName(name, index))),
  )
  return chunks.flatMap((stored) => {
    const chunk = stored === null ? null : (objectOf(stored) as unknown as RolloutMembers)
    return chunk?.spec.rolloutUid === uid ? chunk.spec.members : []
  })
}

/** 409 with the reason when the action makes no sense now. */
async function act(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const read = readAction(call.body)
  if (!read.ok) throw badRequest(`${read.why}; send {"action": "pause", "reason": "..."}`)
  const { action } = read
  return changed(api, route, isDryRun(call), (old) => {
    const rollout = old as unknown as Rollout
    const acted = actOn(rollout, action)
    if (!acted.ok) throw new ApiError(409, 'Conflict', `cannot ${action.action} rollout ${rollout.metadata.name ?? ''}: ${acted.why}`)
    const annotations = { ...old.metadata.annotations, ...(action.reason === undefined ? {} : { [REASON_ANNOTATION]: action.reason }) }
    const next = { ...old, metadata: { ...old.metadata, annotations }, spec: acted.spec }
    return stamped(api, call, route, old, admitChange(route.definition, old, next, 'main'))
  })
}
