/** From bytes of a request to a checked plain value: size, media type, syntax, depth and forbidden names, in that order. */
import type { IncomingMessage } from 'node:http'
import { parse as parseYaml } from 'yaml'
import { isForbiddenKey } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { depthOf } from '../../protocol/shape.ts'
import { badRequest, tooLarge, unsupportedMedia } from './api-error.ts'

/** A client that is told "too large" while it still sends often misses the answer: this many times the limit is read and dropped. */
const DRAIN_FACTOR = 16

/** Reads at most LIMITS.apiBodyBytes; more is refused with 413. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const max = LIMITS.apiBodyBytes.value
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request) {
      const bytes = chunk as Buffer
      size += bytes.length
      if (size <= max) chunks.push(bytes)
      else if (size > max * DRAIN_FACTOR) break
    }
  } catch {
    throw badRequest('the connection ended before the whole body had arrived')
  }
  if (size > max) throw tooLarge(size, max)
  return Buffer.concat(chunks)
}

/** The media type without parameters, in lower case; '' when the client named none. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Decodes JSON or YAML. An empty body is undefined. */
export function decodeBody(bytes: Buffer, media: string): unknown {
  if (bytes.length === 0) return undefined
  if (media === 'application/vnd.kubernetes.protobuf') throw unsupportedMedia(PROTOBUF_HINT)
  const isYaml = YAML_TYPES.has(media)
  if (!isYaml && media !== '' && !/^application\/([-a-z]+\+)?json$/.test(media)) {
    const accepted = 'accepted media types include: application/json, application/yaml'
    throw unsupportedMedia(`the body of the request was in an unknown format - ${accepted}; got ${JSON.stringify(media)}`)
  }
  const text = bytes.toString('utf8')
  const value = isYaml ? fromYaml(text) : fromJson(text)
  refuseDeep(value)
  refuseForbidden(value)
  return value
}

const YAML_TYPES: ReadonlySet<string> = new Set(['application/yaml', 'application/x-yaml', 'text/yaml', 'application/apply-patch+yaml'])
const PROTOBUF_HINT =
  'protobuf bodies are not read by this server; send JSON, or with kubectl 1.32 and later: ' +
  'kubectl create ... --dry-run=client -o yaml | kubectl apply -f -'

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`the body is not JSON: ${messageOf(error)}`)
  }
}

/** More open brackets than this in a row is no object: the YAML parser is recursive and must not see it. */
const FLOW_NESTING = /(?:[[{]\s*){64}/
const BLOCK_NESTING = /(?:[-?:]\s+){64}/

function fromYaml(text: string): unknown {
  if (FLOW_NESTING.test(text) || BLOCK_NESTING.test(text)) throw tooDeep()
  try {
    return parseYaml(text, { maxAliasCount: LIMITS.apiYamlAliases.value, uniqueKeys: true, schema: 'core', logLevel: 'error' })
  } catch (error) {
    throw badRequest(`the body is not YAML that is accepted: ${messageOf(error)}`)
  }
}

function refuseDeep(value: unknown): void {
  if (depthOf(value, LIMITS.documentDepth.value) > LIMITS.documentDepth.value) throw tooDeep()
}

function tooDeep(): Error {
  return badRequest(`the body is nested deeper than ${LIMITS.documentDepth.value} levels`)
}

/** Names that reach the prototype are refused before any merge can see them. */
function refuseForbidden(root: unknown): void {
  const stack: { readonly value: unknown; readonly path: string }[] = [{ value: root, path: '' }]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (typeof item.value !== 'object' || item.value === null) continue
    const isList = Array.isArray(item.value)
    for (const [key, value] of Object.entries(item.value)) {
      const path = isList ? `${item.path}[${key}]` : item.path === '' ? key : `${item.path}.${key}`
      if (!isList && isForbiddenKey(key)) throw badRequest(`${path}: the field name ${JSON.stringify(key)} is never allowed`)
      if (typeof value === 'object' && value !== null) stack.push({ value, path })
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}
