import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { check } from '../../protocol/shape.ts'
import type { Shape } from '../../protocol/shape.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'
import { RESOURCE_DEFINITIONS, apiVersionOf } from '../../cloud/resources/registry.ts'

/** Values that a shape takes: the definitions themselves say what a user may write. */
function valuesOf(shape: Shape<unknown>, depth: number): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'string':
      return shape.enum === undefined ? fc.constantFrom('a', 'b-1', '1', '25%') : fc.constantFrom(...shape.enum)
    case 'int':
      return fc.integer({ min: Math.max(shape.min ?? 0, 0), max: Math.min(shape.max ?? 100, 100) })
    case 'number':
      return fc.integer()
    case 'bool':
      return fc.boolean()
    case 'quantity':
      return fc.constantFrom('500m', 1, '64Mi', '-1', 0)
    case 'intOrString':
      return fc.constantFrom(0, 1, '0%', '25%', 'half')
    case 'list':
      return fc.array(valuesOf(shape.of ?? { kind: 'any' }, depth - 1), { maxLength: depth > 0 ? Math.min(2, shape.max ?? 2) : 0 })
    case 'map':
      return fc.dictionary(fc.constantFrom('a', 'cpu', 'memory', 'pids', 'x.io/y'), valuesOf(shape.of ?? { kind: 'any' }, depth - 1), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'object':
      return objectsOf(shape, depth)
    default:
      return fc.constant('anything')
  }
}

function objectsOf(shape: Shape<unknown>, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.entries(shape.fields ?? {}).filter(([, field]) => field.kind !== 'refused')
  const entries = fields.map(([name, field]) => {
    const value = valuesOf(field, depth - 1)
    // most fields are left out most of the time; null is one way to leave out
    const rare =
      field.required === true
        ? value
        : fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: value })
    return [name, rare] as const
  })
  return fc.record(Object.fromEntries(entries)).map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)))
}

describe.each(RESOURCE_DEFINITIONS)('defaults of $kind', (definition) => {
  const objects = objectsOf(definition.shape, 8).map((object) => ({
    ...(object as KubeObject),
    apiVersion: apiVersionOf(definition),
    kind: definition.kind,
  }))

  it('applied twice are applied once, keep the shape, and leave their input alone', () => {
    fc.assert(
      fc.property(objects, (object) => {
        fc.pre(check(definition.shape, object).length === 0)
        const before = structuredClone(object)
        const once = definition.defaults(object)
        expect(object).toStrictEqual(before)
        expect(definition.defaults(once)).toStrictEqual(once)
        expect(check(definition.shape, once)).toEqual([])
        expect(JSON.stringify(once)).not.toContain(':null')
      }),
      { numRuns: 60 },
    )
  })

  it('never trip up rules or cells, and an unchanged object may be written again', () => {
    fc.assert(
      fc.property(objects, (object) => {
        fc.pre(check(definition.shape, object).length === 0)
        const full = definition.defaults(object)
        const fresh = definition.validate(full, null)
        expect(definition.validate(full, full)).toEqual(fresh)
        expect(definition.cells(full, 0)).toHaveLength(definition.columns.length)
        for (const read of Object.values(definition.selectableFields)) expect(typeof read(full)).toBe('string')
      }),
      { numRuns: 60 },
    )
  })
})
