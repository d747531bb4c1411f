/**
 * What an engine error means. Pure: status and text in, cause out. The texts are those of dockerd 20.10 to 28 and podman;
 * what is not known here keeps the engine's own words.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { clip } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'

/** One failed call, free of the client library's classes. */
export interface EngineFailure {
  /** HTTP status, null when there was no answer */
  readonly status: number | null
  /** errno name such as ECONNREFUSED, or 'TIMEOUT' / 'ABORTED' of our own */
  readonly code: string | null
  readonly text: string
}

/** Any thrown value -> failure. The client library prefixes `(HTTP code 409) reason - `, which is dropped. */
export function readFailure(error: unknown): EngineFailure {
  if (!isRecord(error)) return { status: null, code: null, text: clip(String(error)) }
  const status = typeof error['statusCode'] === 'number' ? error['statusCode'] : null
  const code = typeof error['code'] === 'string' ? error['code'] : null
  const json = error['json']
  const own = typeof error['message'] === 'string' ? error['message'] : 'unknown error'
  const said = isRecord(json) && typeof json['message'] === 'string' ? json['message'] : own
  return { status, code, text: clip(said.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim()) }
}

/** Around a failed call: its time limit, and since when the engine has not answered (for people). */
export interface CallContext {
  readonly limitMs: number
  readonly since: string
}

const UNREACHABLE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'EACCES', 'ENOTSOCK', 'ETIMEDOUT'])

/** The engine itself is away or stuck, or null when the failure is about the request. */
export function engineCause(failure: EngineFailure, call: string, context: CallContext): Cause | null {
  if (failure.code === 'TIMEOUT') return cause('engine.timeout', { seconds: context.limitMs / 1000, call })
  if (failure.status === null && failure.code !== null && UNREACHABLE.has(failure.code)) {
    return cause('engine.unreachable', { since: context.since, why: failure.text })
  }
  return null
}

/** For observe and info, which have no request to blame. */
export function readCause(failure: EngineFailure, call: string, context: CallContext): Cause {
  return engineCause(failure, call, context) ?? cause('engine.error', { why: failure.text })
}

const DENIED = /unauthorized|authentication required|no basic auth credentials|access denied|forbidden|denied:/i
const NOT_FOUND = /manifest unknown|not found|no such image|name unknown|does not exist|invalid reference/i

export function pullCause(failure: EngineFailure, image: string, context: CallContext): Cause {
  const away = engineCause(failure, 'pull', context)
  if (away !== null) return away
  const { text } = failure
  if (failure.code === 'STALLED') return cause('image.pull.stalled', { image, seconds: context.limitMs / 1000 })
  if (/no space left on device|disk quota exceeded/i.test(text)) return cause('image.pull.disk-full', { image, why: text })
  // Docker Hub hides private names behind "pull access denied … repository does not exist or may require 'docker login'"
  if (DENIED.test(text)) return cause('image.pull.denied', { image, why: text })
  const nameless = /lookup .*(no such host|server misbehaving)/i.test(text)
  if (!nameless && (NOT_FOUND.test(text) || failure.status === 404)) return cause('image.pull.not-found', { image })
  return cause('image.pull.failed', { image, why: text })
}

export function createCause(failure: EngineFailure, context: CallContext): Cause {
  return engineCause(failure, 'create', context) ?? cause('container.create.failed', { why: failure.text })
}

export function startCause(failure: EngineFailure, context: CallContext): Cause {
  const away = engineCause(failure, 'start', context)
  if (away !== null) return away
  if (/port is already allocated|address already in use/i.test(failure.text)) {
    const port = /:(\d{1,5})(?:\/\w+)?(?: failed)?: (?:port|bind|address)/.exec(failure.text)?.[1]
    return cause('container.start.port-taken', { port: port ?? 'of this container' })
  }
  return cause('container.start.failed', { why: failure.text })
}

export function cpusCause(failure: EngineFailure, context: CallContext): Cause {
  return engineCause(failure, 'update', context) ?? cause('container.cpus.failed', { cpus: 'the shared ones', why: failure.text })
}

export function stopCause(failure: EngineFailure, context: CallContext): Cause {
  return engineCause(failure, 'stop', context) ?? cause('container.stop.failed', { why: failure.text })
}

export function removeCause(failure: EngineFailure, context: CallContext): Cause {
  return engineCause(failure, 'remove', context) ?? cause('container.remove.failed', { why: failure.text })
}

/** 409 of create: that name exists already. */
export function isNameConflict(failure: EngineFailure): boolean {
  return failure.status === 409 && /name .*(is already in use|in use)/i.test(failure.text)
}

/** The registry could not be reached at all (no answer, as opposed to a refusal). */
export function isOffline(reason: Cause): boolean {
  return reason.code === 'image.pull.failed' || reason.code === 'image.pull.stalled'
}

/** 409 of remove: somebody removes it already. */
export function isBeingRemoved(failure: EngineFailure): boolean {
  return failure.status === 409 && /already in progress/i.test(failure.text)
}
