import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalJson, sameJson } from '../../protocol/revision.ts'

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, undefined, true, 0, -0, 1, NaN, '', 'a'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

it('two values are the same when their canonical texts are, whatever they are made of', () => {
  fc.assert(
    fc.property(value, value, (a, b) => sameJson(a, b) === (canonicalJson(a) === canonicalJson(b))),
    { numRuns: 3_000 },
  )
  fc.assert(
    fc.property(value, (a) => sameJson(a, structuredClone(a))),
    { numRuns: 500 },
  )
  expect(sameJson({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toBe(false)
})
