/** Questions about the caller: who am I, may I. Today an administrator may do everything and nobody else anything. */
import { isRecord } from '../../protocol/shape.ts'
import type { Call } from './api.ts'
import { isAdmin } from './auth.ts'
import { ok } from './respond.ts'
import type { Answer } from './respond.ts'

export function review(call: Call, kind: string): Answer {
  const sent = isRecord(call.body) ? call.body : {}
  const spec = isRecord(sent['spec']) ? sent['spec'] : {}
  const group = kind === 'SelfSubjectReview' ? 'authentication.k8s.io/v1' : 'authorization.k8s.io/v1'
  return ok({ kind, apiVersion: group, metadata: { creationTimestamp: null }, spec, status: statusOf(call, kind) }, 201)
}

function statusOf(call: Call, kind: string): Readonly<Record<string, unknown>> {
  const admin = isAdmin(call.principal)
  if (kind === 'SelfSubjectReview') return { userInfo: { username: call.principal.name, groups: call.principal.groups } }
  if (kind === 'SelfSubjectAccessReview') return admin ? { allowed: true } : { allowed: false, reason: 'only administrators may use this API' }
  const all = { verbs: ['*'] }
  return {
    resourceRules: admin ? [{ ...all, apiGroups: ['*'], resources: ['*'] }] : [],
    nonResourceRules: admin ? [{ ...all, nonResourceURLs: ['*'] }] : [],
    incomplete: false,
  }
}
