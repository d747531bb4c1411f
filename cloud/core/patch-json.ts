/** JSON patch (RFC 6902): a list of operations, all or none. */
import { LIMITS } from '../../protocol/limits.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { depthOf, isRecord } from '../../protocol/shape.ts'
import { changeAt, parsePointer, valueAt } from './json-pointer.ts'
import type { Edit, Tokens } from './json-pointer.ts'
import { faultOf, refuse } from './patch-result.ts'
import type { Doc, Patched } from './patch-result.ts'

/** Applies every operation in order; the first that fails refuses the whole patch and names itself. */
export function applyJsonPatch(document: unknown, patch: unknown): Patched {
  if (!Array.isArray(patch)) return refuse('a JSON patch must be a list of operations')
  const operations: readonly unknown[] = patch
  const max = LIMITS.jsonPatchOperations.value
  if (operations.length > max) return refuse(`a JSON patch has at most ${max} operations, this one has ${operations.length}`)
  let state: State = { document, copiedBytes: 0 }
  for (const [index, operation] of operations.entries()) {
    const next = isRecord(operation) ? applyOne(state, operation) : 'must be an object with op and path'
    if (typeof next === 'string') return refuse(`operation ${index}${label(operation)}: ${next}`)
    state = next
  }
  return { ok: true, value: state.document }
}

interface State {
  readonly document: unknown
  /** copying a document into itself doubles it each time, so what was copied is counted */
  readonly copiedBytes: number
}

/** The state after one operation, or why it cannot be done. */
function applyOne(state: State, operation: Doc): State | string {
  const path = parsePointer(operation['path'])
  if (!path.ok) return `path ${path.why}`
  switch (operation['op']) {
    case 'add':
    case 'replace': {
      const fault = operation['value'] === undefined ? 'value is required' : faultOf(operation['value'])
      return fault ?? put(state, path.tokens, { do: operation['op'], value: operation['value'] })
    }
    case 'remove':
      return put(state, path.tokens, { do: 'remove' })
    case 'test':
      return testAt(state, path.tokens, operation['value'])
    case 'copy':
    case 'move':
      return transfer(state, path.tokens, operation)
    default:
      return `op must be add, remove, replace, move, copy or test, is ${JSON.stringify(operation['op'] ?? null)}`
  }
}

function put(state: State, tokens: Tokens, edit: Edit): State | string {
  const max = LIMITS.documentDepth.value
  if (edit.do !== 'remove' && tokens.length + depthOf(edit.value, max) > max) return `the document would be nested deeper than ${max} levels`
  const changed = changeAt(state.document, tokens, edit)
  return changed.ok ? { ...state, document: changed.value } : changed.why
}

/** As in Kubernetes, testing for null also succeeds where an object or list has nothing. */
function testAt(state: State, tokens: Tokens, expected: unknown): State | string {
  const at = valueAt(state.document, tokens)
  if (at.found) return canonicalJson(at.value) === canonicalJson(expected) ? state : 'test failed: the value is another'
  return expected === null && valueAt(state.document, tokens.slice(0, -1)).found ? state : 'test failed: there is nothing'
}

function transfer(state: State, tokens: Tokens, operation: Doc): State | string {
  const from = parsePointer(operation['from'])
  if (!from.ok) return `from ${from.why}`
  const source = valueAt(state.document, from.tokens)
  if (!source.found) return 'there is nothing at from'
  const edit: Edit = { do: 'add', value: source.value }
  if (operation['op'] === 'copy') {
    const copiedBytes = state.copiedBytes + JSON.stringify(source.value).length
    const max = LIMITS.apiBodyBytes.value
    return copiedBytes > max ? `the copies of this patch exceed ${max} bytes` : put({ ...state, copiedBytes }, tokens, edit)
  }
  const inside = from.tokens.length < tokens.length && from.tokens.every((token, index) => token === tokens[index])
  if (inside) return 'a value cannot be moved into itself'
  const removed = put(state, from.tokens, { do: 'remove' })
  return typeof removed === 'string' ? removed : put(removed, tokens, edit)
}

function label(operation: unknown): string {
  if (!isRecord(operation) || typeof operation['path'] !== 'string') return ''
  return ` (${String(operation['op'])} ${JSON.stringify(operation['path'].slice(0, 256))})`
}
