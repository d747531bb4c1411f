/**
 * Shapes: data that says what a document may look like. One description gives the TypeScript type (`Infer`), strict
 * validation with paths, merge keys for strategic-merge patch, and later OpenAPI. Pure, no code generation.
 */
import { isForbiddenKey } from './ids.ts'
import { parseQuantityNano } from './units.ts'

export interface Issue {
  /** `spec.template.spec.containers[0].image` */
  readonly path: string
  readonly kind: 'unknown' | 'type' | 'required' | 'invalid' | 'unsupported' | 'too-many' | 'forbidden'
  readonly message: string
}

type Kind = 'string' | 'int' | 'number' | 'bool' | 'quantity' | 'intOrString' | 'any' | 'list' | 'map' | 'object' | 'refused'

/** `T` is carried in a phantom member so that `Infer` can read it back; it is never present at run time. */
export interface Shape<T> {
  readonly kind: Kind
  readonly type?: T
  readonly required?: boolean
  readonly enum?: readonly string[]
  readonly pattern?: RegExp
  readonly patternSays?: string
  readonly min?: number
  readonly max?: number
  readonly of?: Shape<unknown>
  readonly fields?: Readonly<Record<string, Shape<unknown>>>
  /** list: strategic merge key; absent = replaced whole */
  readonly mergeKey?: string
  /** list of scalars merged as a set */
  readonly mergeSet?: boolean
  /** object or list item: keys not in $retainKeys are dropped */
  readonly retainKeys?: boolean
  readonly keySays?: string
  readonly keyPattern?: RegExp
  /** refused: why, and what to use instead */
  readonly why?: string
}

export type Infer<S> = S extends Shape<infer T> ? T : never
type Required<T> = Shape<T> & { readonly required: true }
type Fields = Readonly<Record<string, Shape<unknown>>>
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends { required: true } ? K : never }[keyof F]
type RefusedKeys<F extends Fields> = { [K in keyof F]: F[K] extends Shape<never> ? K : never }[keyof F]
type Flat<T> = { [K in keyof T]: T[K] }
export type ObjectOf<F extends Fields> = Flat<
  { [K in RequiredKeys<F>]: Infer<F[K]> } & { [K in Exclude<keyof F, RequiredKeys<F> | RefusedKeys<F>>]?: Infer<F[K]> }
>

export const str = (rule: { pattern?: RegExp; says?: string; min?: number; max?: number } = {}): Shape<string> => ({
  kind: 'string',
  ...(rule.pattern === undefined ? {} : { pattern: rule.pattern }),
  ...(rule.says === undefined ? {} : { patternSays: rule.says }),
  ...(rule.min === undefined ? {} : { min: rule.min }),
  ...(rule.max === undefined ? {} : { max: rule.max }),
})
export const oneOf = <const T extends string>(...values: readonly T[]): Shape<T> => ({ kind: 'string', enum: values })
export const int = (min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> => ({ kind: 'int', min, max })
export const num = (): Shape<number> => ({ kind: 'number' })
export const bool = (): Shape<boolean> => ({ kind: 'bool' })
export const quantity = (): Shape<string | number> => ({ kind: 'quantity' })
export const intOrString = (): Shape<number | string> => ({ kind: 'intOrString' })
export const anything = (): Shape<unknown> => ({ kind: 'any' })
export const list = <T>(
  of: Shape<T>,
  rule: { mergeKey?: string; mergeSet?: boolean; max?: number; retainKeys?: boolean } = {},
): Shape<readonly T[]> => ({ kind: 'list', of, ...rule })
export const map = <T>(of: Shape<T>, rule: { keyPattern?: RegExp; keySays?: string; max?: number } = {}): Shape<Readonly<Record<string, T>>> => ({
  kind: 'map',
  of,
  ...rule,
})
export const obj = <F extends Fields>(fields: F, rule: { retainKeys?: boolean } = {}): Shape<ObjectOf<F>> => ({ kind: 'object', fields, ...rule })
export const required = <T>(shape: Shape<T>): Required<T> => ({ ...shape, required: true })
/** A field that Kubernetes has and Skerry does not take: named in the error, never ignored. */
export const refused = (why: string): Shape<never> => ({ kind: 'refused', why })

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] }

/** `unknown: 'ignore'` is for wire documents (newer peers may send more); API objects use `'refuse'`. */
export function parse<T>(shape: Shape<T>, value: unknown, unknown: 'ignore' | 'refuse' = 'ignore'): Parsed<T> {
  const issues = check(shape, value, '', unknown)
  return issues.length === 0 ? { ok: true, value: value as T } : { ok: false, issues }
}

/** All faults at once (at most 32), each with its path. */
export function check(shape: Shape<unknown>, value: unknown, path = '', unknown: 'ignore' | 'refuse' = 'refuse'): readonly Issue[] {
  const issues: Issue[] = []
  visit(shape, value, path, { issues, unknown })
  return issues
}

interface Context {
  readonly issues: Issue[]
  readonly unknown: 'ignore' | 'refuse'
}

const ISSUES_MAX = 32

function add(context: Context, path: string, kind: Issue['kind'], message: string): void {
  if (context.issues.length < ISSUES_MAX) context.issues.push({ path, kind, message })
}

function visit(shape: Shape<unknown>, value: unknown, path: string, context: Context): void {
  switch (shape.kind) {
    case 'any':
      return
    case 'refused':
      return add(context, path, 'unsupported', shape.why ?? 'not supported')
    case 'bool':
      return typeof value === 'boolean' ? undefined : wrong(context, path, 'true or false', value)
    case 'int':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return wrong(context, path, 'a whole number', value)
      return bounds(shape, value, path, context)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : wrong(context, path, 'a number', value)
    case 'quantity':
      if (typeof value !== 'string' && typeof value !== 'number') return wrong(context, path, 'a quantity such as "500m" or "64Mi"', value)
      if (parseQuantityNano(String(value)) === null)
        add(context, path, 'invalid', `${show(value)} is not a quantity; write for example "500m", "64Mi" or 2`)
      return
    case 'intOrString':
      return (typeof value === 'number' && Number.isSafeInteger(value)) || typeof value === 'string'
        ? undefined
        : wrong(context, path, 'a whole number or a string', value)
    case 'string':
      return visitString(shape, value, path, context)
    case 'list':
      return visitList(shape, value, path, context)
    case 'map':
      return visitMap(shape, value, path, context)
    case 'object':
      return visitObject(shape, value, path, context)
  }
}

function bounds(shape: Shape<unknown>, value: number, path: string, context: Context): void {
  if (shape.min !== undefined && value < shape.min) add(context, path, 'invalid', `must be at least ${shape.min}, is ${value}`)
  else if (shape.max !== undefined && value > shape.max) add(context, path, 'invalid', `must be at most ${shape.max}, is ${value}`)
}

function visitString(shape: Shape<unknown>, value: unknown, path: string, context: Context): void {
  if (typeof value !== 'string') return wrong(context, path, 'a string', value)
  if (shape.enum !== undefined && !shape.enum.includes(value)) {
    return add(context, path, 'invalid', `${show(value)} is not supported; use one of ${shape.enum.map((item) => JSON.stringify(item)).join(', ')}`)
  }
  if (shape.min !== undefined && value.length < shape.min) return add(context, path, 'invalid', 'must not be empty')
  if (shape.max !== undefined && value.length > shape.max)
    return add(context, path, 'invalid', `must be at most ${shape.max} characters, is ${value.length}`)
  if (shape.pattern !== undefined && !shape.pattern.test(value))
    add(context, path, 'invalid', `${show(value)} is not valid: ${shape.patternSays ?? String(shape.pattern)}`)
}

function visitList(shape: Shape<unknown>, value: unknown, path: string, context: Context): void {
  if (!Array.isArray(value)) return wrong(context, path, 'a list', value)
  if (shape.max !== undefined && value.length > shape.max)
    return add(context, path, 'too-many', `must have at most ${shape.max} items, has ${value.length}`)
  const items: readonly unknown[] = value
  const of = shape.of
  if (of !== undefined) items.forEach((item, index) => visit(of, item, `${path}[${index}]`, context))
}

function visitMap(shape: Shape<unknown>, value: unknown, path: string, context: Context): void {
  if (!isRecord(value)) return wrong(context, path, 'an object', value)
  const entries = Object.entries(value)
  if (shape.max !== undefined && entries.length > shape.max)
    add(context, path, 'too-many', `must have at most ${shape.max} entries, has ${entries.length}`)
  for (const [key, item] of entries) {
    const at = `${path}[${JSON.stringify(key)}]`
    if (isForbiddenKey(key)) add(context, at, 'forbidden', `the key ${JSON.stringify(key)} is never allowed`)
    else if (shape.keyPattern !== undefined && !shape.keyPattern.test(key))
      add(context, at, 'invalid', `the key ${JSON.stringify(key)} is not valid: ${shape.keySays ?? String(shape.keyPattern)}`)
    else if (shape.of !== undefined) visit(shape.of, item, at, context)
  }
}

function visitObject(shape: Shape<unknown>, value: unknown, path: string, context: Context): void {
  if (!isRecord(value)) return wrong(context, path, 'an object', value)
  const fields = shape.fields ?? {}
  for (const [key, item] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    if (isForbiddenKey(key)) add(context, at, 'forbidden', `the field name ${JSON.stringify(key)} is never allowed`)
    else if (!Object.hasOwn(fields, key)) {
      if (context.unknown === 'refuse') add(context, at, 'unknown', `unknown field ${JSON.stringify(at)}`)
    } else {
      const field = fields[key]
      // null means "not set" in Kubernetes documents
      if (field !== undefined && item !== null && item !== undefined) visit(field, item, at, context)
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    if (field.required === true && (value[key] === undefined || value[key] === null)) {
      add(context, path === '' ? key : `${path}.${key}`, 'required', 'is required')
    }
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(context: Context, path: string, want: string, got: unknown): void {
  add(context, path, 'type', `must be ${want}, is ${show(got)}`)
}

function show(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 64 ? `${text.slice(0, 63)}…` : text
}

/** Nesting depth of a JSON value, stopping at `max + 1`: guards every recursive function that comes after the door. */
export function depthOf(value: unknown, max: number): number {
  let deepest = 0
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (item.depth > deepest) deepest = item.depth
    if (deepest > max) return deepest
    if (typeof item.value === 'object' && item.value !== null) {
      for (const child of Object.values(item.value)) stack.push({ value: child, depth: item.depth + 1 })
    }
  }
  return deepest
}
