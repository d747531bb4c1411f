/** JSON pointers (RFC 6901): reading them, and changing one place of a document without touching the original. */
import { isForbiddenKey } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'

export type Tokens = readonly string[]
export type Found = { readonly found: true; readonly value: unknown } | { readonly found: false }
type Changed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string }

/** The steps of a pointer, unescaped, or why it is none. `''` is the whole document. */
export function parsePointer(text: unknown): { readonly ok: true; readonly tokens: Tokens } | { readonly ok: false; readonly why: string } {
  if (typeof text !== 'string') return { ok: false, why: 'must be a text such as "/spec/replicas"' }
  if (text === '') return { ok: true, tokens: [] }
  if (!text.startsWith('/')) return { ok: false, why: `${JSON.stringify(text)} must start with "/"` }
  if (/~(?![01])/.test(text)) return { ok: false, why: `${JSON.stringify(text)} has a "~" that is not "~0" or "~1"` }
  const tokens = text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  const bad = tokens.find(isForbiddenKey)
  if (bad !== undefined) return { ok: false, why: `the key ${JSON.stringify(bad)} is never allowed` }
  const max = LIMITS.documentDepth.value
  return tokens.length > max ? { ok: false, why: `has ${tokens.length} levels, at most ${max} are taken` } : { ok: true, tokens }
}

/** The value at a place, if there is one. */
export function valueAt(document: unknown, tokens: Tokens): Found {
  let value = document
  for (const token of tokens) {
    if (Array.isArray(value)) {
      const index = indexOf(token, value.length - 1)
      if (index === null) return { found: false }
      value = value[index] as unknown
    } else if (isRecord(value) && Object.hasOwn(value, token)) value = value[token]
    else return { found: false }
  }
  return { found: true, value }
}

export type Edit = { readonly do: 'add' | 'replace'; readonly value: unknown } | { readonly do: 'remove' }

/** A new document with one place changed; everything else is shared with the old one. */
export function changeAt(document: unknown, tokens: Tokens, edit: Edit): Changed {
  const [token, ...rest] = tokens
  if (token === undefined) return edit.do === 'remove' ? { ok: false, why: 'the whole document cannot be removed' } : { ok: true, value: edit.value }
  if (rest.length === 0) return changeChild(document, token, edit)
  const child = valueAt(document, [token])
  if (!child.found) return { ok: false, why: `there is no ${JSON.stringify(token)}` }
  const changed = changeAt(child.value, rest, edit)
  return changed.ok ? changeChild(document, token, { do: 'replace', value: changed.value }) : changed
}

function changeChild(parent: unknown, token: string, edit: Edit): Changed {
  if (Array.isArray(parent)) return changeItem(parent, token, edit)
  if (!isRecord(parent)) return { ok: false, why: `${JSON.stringify(token)} is inside something that is neither an object nor a list` }
  if (edit.do !== 'add' && !Object.hasOwn(parent, token)) return { ok: false, why: `there is no ${JSON.stringify(token)}` }
  if (edit.do !== 'remove') return { ok: true, value: { ...parent, [token]: edit.value } }
  const { [token]: _removed, ...rest } = parent
  return { ok: true, value: rest }
}

function changeItem(list: readonly unknown[], token: string, edit: Edit): Changed {
  const last = edit.do === 'add' ? list.length : list.length - 1
  const index = edit.do === 'add' && token === '-' ? list.length : indexOf(token, last)
  if (index === null) return { ok: false, why: `${JSON.stringify(token)} is not an index of a list of ${list.length}` }
  if (edit.do === 'remove') return { ok: true, value: list.toSpliced(index, 1) }
  return { ok: true, value: edit.do === 'add' ? list.toSpliced(index, 0, edit.value) : list.with(index, edit.value) }
}

function indexOf(token: string, last: number): number | null {
  if (!/^(0|[1-9]\d{0,8})$/.test(token)) return null
  const index = Number(token)
  return index <= last ? index : null
}
