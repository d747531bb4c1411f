/** Failures as Kubernetes clients read them: one throwable value that becomes a `Status` document. */
import type { Issue } from '../../protocol/shape.ts'

export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

export interface About {
  /** group of the kind, '' for the core group */
  readonly group: string
  readonly plural: string
  readonly kind: string
}

interface Details {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly Cause[]
  readonly retryAfterSeconds?: number
}

/** Thrown anywhere below the request handler; the handler turns it into a `Status` answer. Nothing else may reach a client. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: Details

  constructor(code: number, reason: string, message: string, details: Details = {}) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }
}

/** The body of a failed answer. */
export function statusOf(error: ApiError): Readonly<Record<string, unknown>> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    reason: error.reason,
    ...(Object.keys(error.details).length === 0 ? {} : { details: error.details }),
    code: error.code,
  }
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource')
}

export function notFound(about: About, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(about)} ${JSON.stringify(name)} not found`, detail(about, name))
}

export function alreadyExists(about: About, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(about)} ${JSON.stringify(name)} already exists`, detail(about, name))
}

export function conflict(about: About, name: string, why?: string): ApiError {
  const because = why ?? 'the object has been modified; please apply your changes to the latest version and try again'
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(about)} ${JSON.stringify(name)}: ${because}`,
    detail(about, name),
  )
}

export function expired(message = 'the list or watch starts at a revision that is no longer kept; list again'): ApiError {
  return new ApiError(410, 'Expired', message)
}

/** 422 with one cause a fault; `name` may be empty when the object has none yet. */
export function invalid(about: About, name: string, issues: readonly Issue[]): ApiError {
  const causes = issues.map((issue) => ({ reason: CAUSE_REASONS[issue.kind], message: issue.message, field: issue.path }))
  const text = issues.map((issue) => `${issue.path}: ${issue.message}`)
  const said = text.length === 1 ? (text[0] ?? '') : `[${text.join(', ')}]`
  const kind = about.group === '' ? about.kind : `${about.kind}.${about.group}`
  return new ApiError(422, 'Invalid', `${kind} ${JSON.stringify(name)} is invalid: ${said}`, { ...detail(about, name), kind: about.kind, causes })
}

export function unsupportedMedia(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message)
}

export function tooLarge(bytes: number, max: number): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `the request is ${bytes} bytes or more; at most ${max} bytes are accepted for one object`)
}

const CAUSE_REASONS: Readonly<Record<Issue['kind'], string>> = {
  unknown: 'FieldValueInvalid',
  type: 'FieldValueTypeInvalid',
  required: 'FieldValueRequired',
  invalid: 'FieldValueInvalid',
  unsupported: 'FieldValueForbidden',
  'too-many': 'FieldValueTooMany',
  forbidden: 'FieldValueForbidden',
}

function qualified(about: About): string {
  return about.group === '' ? about.plural : `${about.plural}.${about.group}`
}

function detail(about: About, name: string): Details {
  return { name, ...(about.group === '' ? {} : { group: about.group }), kind: about.plural }
}
