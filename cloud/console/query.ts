/**
 * The words of a list's search box, the same in address, API and console: `state:failed site:eu-3 agent<1.4 text`.
 * `a:b,c` = b or c; `-a:b` = not; `a<1`, `a>=1`; quotes keep spaces; every word must hold. Pure; shared with the browser.
 */

export type Operator = ':' | '<' | '<=' | '>' | '>='

export interface Term {
  /** '' = free text */
  readonly field: string
  readonly operator: Operator
  readonly values: readonly string[]
  readonly not: boolean
}

export interface Query {
  readonly terms: readonly Term[]
  /** what could not be understood, as sentences; such words match nothing and hide nothing */
  readonly issues: readonly string[]
}

/** How a field's values are compared. age: the value is milliseconds ago, asked as `1h`. */
export type FieldKind = 'word' | 'text' | 'path' | 'version' | 'number' | 'age'

export interface Field<R> {
  readonly kind: FieldKind
  /** null = the row has none */
  get(row: R): string | number | readonly string[] | null
  /** the values there are, for fields with a closed list */
  readonly values?: readonly string[]
}

export interface Fields<R> {
  readonly named: Readonly<Record<string, Field<R>>>
  /** where free text looks, in lower case */
  text(row: R): string
  /** labels, when rows have them: any other field name is a label */
  labels?(row: R): Readonly<Record<string, string>>
}

const WORDS = /(-?)(?:([A-Za-z][\w./-]*)(<=|>=|[:<>]))?("(?:[^"]*)"?|[^\s"]*)/gy
const MOST_TERMS = 24

export function parseQuery(text: string): Query {
  const terms: Term[] = []
  const issues: string[] = []
  for (const piece of pieces(text)) {
    if (terms.length === MOST_TERMS) {
      issues.push(`At most ${MOST_TERMS} words are looked at.`)
      break
    }
    const { field, value, not, operator } = piece
    if (value === '' && field !== '') issues.push(`${field}${operator} needs a value.`)
    else if (value !== '') terms.push({ field, operator, not, values: piece.quoted || field === '' ? [value] : value.split(',').filter(Boolean) })
  }
  return { terms, issues }
}

interface Piece {
  readonly not: boolean
  readonly field: string
  readonly operator: Operator
  readonly value: string
  readonly quoted: boolean
}

function pieces(text: string): readonly Piece[] {
  const found: Piece[] = []
  const scan = new RegExp(WORDS)
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text.charAt(at))) {
      at += 1
      continue
    }
    scan.lastIndex = at
    const match = scan.exec(text)
    if (match === null || match[0] === '') return found
    const raw = match[4] ?? ''
    const value = raw.replaceAll('"', '')
    found.push({
      not: match[1] === '-' && value !== '',
      field: match[2] ?? '',
      operator: (match[3] ?? ':') as Operator,
      value,
      quoted: raw.startsWith('"'),
    })
    at = scan.lastIndex
  }
  return found
}

/** The query with one field set to a value, or taken out; what else it says stays. */
export function withTerm(text: string, field: string, value: string | null): string {
  const rest = text
    .split(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .filter((word) => word !== '' && !word.startsWith(`${field}:`))
    .join(' ')
  if (value === null) return rest
  const said = `${field}:${/[\s",]/.test(value) ? `"${value.replaceAll('"', '')}"` : value}`
  return rest === '' ? said : `${rest} ${said}`
}

/** The value a query gives a field with `field:value`, or ''. */
export function termOf(text: string, field: string): string {
  return (
    parseQuery(text)
      .terms.find((term) => term.field === field && term.operator === ':' && !term.not)
      ?.values.join(',') ?? ''
  )
}

export interface Matcher<R> {
  readonly issues: readonly string[]
  /** null = every row matches */
  readonly test: ((row: R) => boolean) | null
}

export function compileQuery<R>(query: Query, fields: Fields<R>): Matcher<R> {
  const issues = [...query.issues]
  const tests: ((row: R) => boolean)[] = []
  for (const term of query.terms) {
    const test = compileTerm(term, fields)
    if (typeof test === 'string') issues.push(test)
    else tests.push(term.not ? (row) => !test(row) : test)
  }
  const [only] = tests
  if (only === undefined) return { issues, test: null }
  return { issues, test: tests.length === 1 ? only : (row) => tests.every((test) => test(row)) }
}

function compileTerm<R>({ field, operator, values }: Term, fields: Fields<R>): ((row: R) => boolean) | string {
  if (field === '') {
    const wanted = (values[0] ?? '').toLowerCase()
    return (row) => fields.text(row).includes(wanted)
  }
  const named = Object.hasOwn(fields.named, field) ? fields.named[field] : labelField(field, fields)
  if (named === undefined) return `${field} is not a field of this list; it has ${Object.keys(fields.named).join(', ')}.`
  if (named.values !== undefined && operator === ':') {
    const unknown = values.find((value) => !named.values?.includes(value))
    if (unknown !== undefined) return `${field} is never ${unknown}; it is ${named.values.join(', ')}.`
  }
  return operator === ':' ? equals(named, values) : compares(named, operator, values[0] ?? '')
}

function labelField<R>(field: string, fields: Fields<R>): Field<R> | undefined {
  const { labels } = fields
  if (labels === undefined) return undefined
  const ending = `/${field}`
  return {
    kind: 'word',
    get(row) {
      const all = labels(row)
      if (Object.hasOwn(all, field)) return all[field] ?? null
      for (const key in all) if (key.endsWith(ending)) return all[key] ?? null
      return null
    },
  }
}

function equals<R>({ kind, get }: Field<R>, values: readonly string[]): (row: R) => boolean {
  const wanted = values.map((value) => value.toLowerCase())
  const one = (value: string): boolean => wanted.some((want) => same(kind, value.toLowerCase(), want))
  return (row) => {
    const value = get(row)
    if (value === null) return false
    if (typeof value === 'object') return value.some(one)
    return one(String(value))
  }
}

function same(kind: FieldKind, value: string, want: string): boolean {
  if (want.endsWith('*')) return value.startsWith(want.slice(0, -1))
  if (kind === 'path') return value === want || value.startsWith(`${want}.`)
  return kind === 'text' ? value.includes(want) : value === want
}

function compares<R>({ kind, get }: Field<R>, operator: Operator, text: string): ((row: R) => boolean) | string {
  const limit = kind === 'version' ? 0 : kind === 'age' ? durationMs(text) : Number(text)
  if (kind !== 'version' && Number.isNaN(limit)) return `${text} is not ${kind === 'age' ? 'a time such as 90s, 5m, 2h or 3d' : 'a number'}.`
  return (row) => {
    const value = get(row)
    if (value === null || typeof value === 'object') return false
    const order = kind === 'version' ? compareVersions(String(value), text) : Number(value) - limit
    if (Number.isNaN(order)) return false
    if (operator === '<') return order < 0
    if (operator === '>') return order > 0
    return operator === '<=' ? order <= 0 : order >= 0
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)
}

const parsed = new Map<string, readonly string[]>()

function partsOf(version: string): readonly string[] {
  const known = parsed.get(version)
  if (known !== undefined) return known
  const parts = version.replace(/^v/, '').split(/[.+-]/)
  // a fleet has few versions; what is typed must not fill the memory
  if (parsed.size < 1000) parsed.set(version, parts)
  return parts
}

/** `v0.10.2` after `0.9`: numbers as numbers, a missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [x = '0', y = '0'] = [left[at], right[at]]
    const order = /^\d+$/.test(x) && /^\d+$/.test(y) ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0
    if (order !== 0) return order
  }
  return 0
}
