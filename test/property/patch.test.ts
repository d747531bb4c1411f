import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyJsonPatch } from '../../cloud/core/patch-json.ts'
import { applyMergePatch } from '../../cloud/core/patch-merge.ts'
import { orderItems } from '../../cloud/core/patch-list-order.ts'
import { applyStrategicPatch } from '../../cloud/core/patch-strategic.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import { resourceByKind } from '../../cloud/resources/registry.ts'

const KEY = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'list', '$patch', '$retainKeys', '$setElementOrder/list', '__proto__', 'constructor', 'prototype'),
  fc.string({ maxLength: 4 }),
)
const { value: JSON_VALUE } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string({ maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  // as JSON.parse makes them: `__proto__` is then a plain key of its own
  object: fc.array(fc.tuple(KEY, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
}))
const OBJECT = fc.array(fc.tuple(KEY, JSON_VALUE), { maxLength: 4 }).map((entries): Readonly<Record<string, unknown>> => Object.fromEntries(entries))
const POINTER = fc
  .array(fc.oneof(KEY, fc.constantFrom('0', '1', '-')), { maxLength: 3 })
  .map((tokens) => tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))
const OPERATION = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
  path: POINTER,
  from: POINTER,
  value: JSON_VALUE,
})

/** Was anything that all objects inherit changed? */
const INHERITED = Reflect.ownKeys(Object.prototype).length
function expectClean(value: unknown): void {
  expect(Reflect.ownKeys(Object.prototype)).toHaveLength(INHERITED)
  expect(Object.getPrototypeOf(value ?? {})).toSatisfy(
    (proto: unknown) => proto === Object.prototype || proto === Array.prototype || typeof value !== 'object',
  )
}

describe('patches', () => {
  it('a merge patch applied twice is applied once', () => {
    fc.assert(
      fc.property(OBJECT, OBJECT, (document, patch) => {
        const once = applyMergePatch(document, patch)
        if (once.ok) expect(applyMergePatch(once.value, patch)).toStrictEqual(once)
      }),
    )
  })

  it('no patch throws, changes its inputs or reaches a prototype', () => {
    const shape = resourceByKind('v1', 'Pod')?.shape ?? null
    fc.assert(
      fc.property(OBJECT, OBJECT, fc.array(OPERATION, { maxLength: 6 }), (document, patch, operations) => {
        const before = canonicalJson([document, patch, operations])
        const results = [applyJsonPatch(document, operations), applyMergePatch(document, patch), applyStrategicPatch(shape, document, patch)]
        for (const result of results) if (result.ok) expectClean(result.value)
        expect(canonicalJson([document, patch, operations])).toBe(before)
      }),
      { numRuns: 500 },
    )
  })

  it('a strategic patch of containers applied twice is applied once', () => {
    const shape = resourceByKind('v1', 'Pod')?.shape ?? null
    const container = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.constantFrom('x', 'y') })
    const containers = fc.uniqueArray(container, { selector: (item) => item.name, maxLength: 4 })
    fc.assert(
      fc.property(containers, containers, (have, want) => {
        const patch = { spec: { '$setElementOrder/containers': want.map(({ name }) => ({ name })), containers: want } }
        const once = applyStrategicPatch(shape, { spec: { containers: have } }, patch)
        expect(once.ok ? applyStrategicPatch(shape, once.value, patch) : null).toStrictEqual(once)
      }),
    )
  })

  it('ordering keeps every item once and both orders', () => {
    const items = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 8 })
    fc.assert(
      fc.property(items, items, (live, wanted) => {
        const merged = [...new Set([...live, ...wanted])]
        const ordered = orderItems(merged, wanted, live, String)
        expect([...ordered].toSorted()).toEqual(merged.toSorted())
        expect(ordered.filter((item) => wanted.includes(Number(item)))).toEqual(wanted)
        expect(ordered.filter((item) => !wanted.includes(Number(item)))).toEqual(live.filter((item) => !wanted.includes(item)))
      }),
    )
  })
})
