/** Selectors as text (`kubectl -l`, `--field-selector`): their grammar, read into requirements. Bad text gives the reason. */
import { check } from '../../protocol/shape.ts'
import { LABELS } from '../resources/object.ts'
import type { Requirement } from '../resources/label-selector.ts'

export { selects } from '../resources/label-selector.ts'

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

/** One comparison of a field, `status.phase!=Running`. */
export interface FieldRequirement {
  readonly field: string
  readonly equal: boolean
  readonly value: string
}

/** `a=b, c!=d, e in (x,y), f notin (z), g, !h`; empty text selects everything. */
export function parseLabelSelector(text: string): Read<readonly Requirement[]> {
  if (text.trim() === '') return { ok: true, value: [] }
  const requirements: Requirement[] = []
  // a comma inside parentheses separates values, not requirements
  for (const part of text.split(/,(?![^()]*\))/)) {
    const requirement = readLabelRequirement(part.trim())
    if (typeof requirement === 'string') return { ok: false, why: `label selector ${quote(text)}: ${requirement}` }
    requirements.push(requirement)
  }
  return { ok: true, value: requirements }
}

/** `metadata.name=web,status.phase!=Failed`; a backslash protects `,`, `=` and itself. Which fields exist is not known here. */
export function parseFieldSelector(text: string): Read<readonly FieldRequirement[]> {
  const requirements: FieldRequirement[] = []
  for (const part of splitUnescaped(text)) {
    if (part === '') continue
    const match = /^([^!=\\]+)(==|!=|=)((?:[^=\\]|\\[\\,=])*)$/s.exec(part)
    const [, field = '', operator = '', value = ''] = match ?? []
    if (match === null) return { ok: false, why: `field selector ${quote(text)}: cannot read ${quote(part)}; write field=value or field!=value` }
    requirements.push({ field: field.trim(), equal: operator !== '!=', value: value.replaceAll(/\\(.)/gs, '$1') })
  }
  return { ok: true, value: requirements }
}

const SET = /^([^\s!=()]+)\s+(in|notin)\s*\(([^()]*)\)$/
const EQUALITY = /^([^\s!=()]+)\s*(==|!=|=)\s*([^\s!=()]*)$/
const EXISTENCE = /^(!?)\s*([^\s!=()]+)$/

function readLabelRequirement(part: string): Requirement | string {
  const set = SET.exec(part)
  if (set !== null) {
    // Kubernetes takes "in ()" as the empty value
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    return checked({ key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values })
  }
  const equality = EQUALITY.exec(part)
  if (equality !== null) return checked({ key: equality[1] ?? '', operator: equality[2] === '!=' ? '!=' : '=', values: [equality[3] ?? ''] })
  const existence = EXISTENCE.exec(part)
  if (existence !== null) return checked({ key: existence[2] ?? '', operator: existence[1] === '!' ? 'absent' : 'exists', values: [] })
  return `cannot read ${quote(part)}; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key`
}

/** Keys and values follow the grammar of labels: others could never match, so they are typing errors. */
function checked(requirement: Requirement): Requirement | string {
  if (requirement.key === '') return 'a key is missing'
  const values = requirement.values.length === 0 ? [''] : requirement.values
  const issue = values.flatMap((value) => check(LABELS, Object.fromEntries([[requirement.key, value]])))[0]
  return issue === undefined ? requirement : issue.message
}

/** Parts between commas that no backslash protects. */
function splitUnescaped(text: string): readonly string[] {
  const parts = text.match(/(?:[^,\\]|\\.)+|\\$/gs) ?? []
  return parts.map((part) => part.trim())
}

function quote(text: string): string {
  return JSON.stringify(text.length > 256 ? `${text.slice(0, 255)}…` : text)
}
