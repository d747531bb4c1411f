import { describe, expect, it } from 'vitest'
import { applyJsonPatch } from '../cloud/core/patch-json.ts'
import { applyMergePatch } from '../cloud/core/patch-merge.ts'
import { applyStrategicPatch } from '../cloud/core/patch-strategic.ts'
import { resourceByKind } from '../cloud/resources/registry.ts'
import { wholeObject } from './cases/strategic-merge/case.ts'
import { DIRECTIVE_CASES } from './cases/strategic-merge/directives.ts'
import { LIST_CASES } from './cases/strategic-merge/lists.ts'

const refused = (why: RegExp) => ({ ok: false, why: expect.stringMatching(why) as unknown })

const add = (path: string, value: unknown) => ({ op: 'add', path, value })

describe('strategic merge patch', () => {
  it.each([...LIST_CASES, ...DIRECTIVE_CASES])('$kind: $name', ({ kind, from, patch, to }) => {
    const before = wholeObject(kind, from)
    const copy = structuredClone({ before, patch })
    const shape = resourceByKind(String(before['apiVersion']), kind)?.shape
    const result = applyStrategicPatch(shape ?? null, before, patch)
    if (to === null) expect(result).toMatchObject({ ok: false })
    else expect(result).toStrictEqual({ ok: true, value: wholeObject(kind, to) })
    expect({ before, patch }).toStrictEqual(copy)
  })

  it('names the place of a fault', () => {
    const shape = resourceByKind('v1', 'Pod')?.shape ?? null
    expect(applyStrategicPatch(shape, {}, { spec: { containers: [{ image: 'x' }] } })).toEqual(
      refused(/^spec\.containers: \[0\] needs its merge key "name"/),
    )
  })

  it('takes merge as a directive', () => {
    const shape = resourceByKind('v1', 'Pod')?.shape ?? null
    const pod = { spec: { containers: [{ name: 'a', image: 'a:1' }] } }
    const patch = { spec: { $patch: 'merge', containers: [{ $patch: 'merge', name: 'a', tty: true }] } }
    expect(applyStrategicPatch(shape, pod, patch)).toEqual({ ok: true, value: { spec: { containers: [{ name: 'a', image: 'a:1', tty: true }] } } })
  })

  it('is a merge patch for kinds without a shape', () => {
    expect(applyStrategicPatch(null, { list: [{ name: 'a' }], gone: 1 }, { list: [{ name: 'b' }], gone: null })).toEqual({
      ok: true,
      value: { list: [{ name: 'b' }] },
    })
  })
})

describe('merge patch', () => {
  it.each([
    ['adds', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['replaces', { a: 1 }, { a: 2 }, { a: 2 }],
    ['removes', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['removes nothing', { a: 1 }, { z: null }, { a: 1 }],
    ['goes deep', { a: { b: 1, c: 2 } }, { a: { b: 3, c: null } }, { a: { b: 3 } }],
    ['replaces lists whole', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['turns a value into an object', { a: 'text' }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['turns an object into a value', { a: { b: 1 } }, { a: 1 }, { a: 1 }],
    ['drops nulls of something new', {}, { a: { b: { c: null } } }, { a: { b: {} } }],
    ['keeps nulls inside lists', {}, { a: [null, 1] }, { a: [null, 1] }],
    ['the empty patch changes nothing', { a: 1 }, {}, { a: 1 }],
  ])('%s', (_name, document, patch, expected) => {
    expect(applyMergePatch(document, patch)).toStrictEqual({ ok: true, value: expected })
  })

  it.each([
    ['a list', [], /must be an object/],
    ['null', null, /must be an object/],
    ['a prototype key', JSON.parse('{"a":{"__proto__":{"x":1}}}') as unknown, /"a\.__proto__" is never allowed/],
    ['a constructor key', { constructor: { prototype: {} } }, /never allowed/],
    ['too deep', JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as unknown, /nested deeper than 32/],
  ])('refuses %s', (_name, patch, why) => {
    expect(applyMergePatch({}, patch)).toEqual(refused(why))
  })
})

describe('JSON patch', () => {
  it.each([
    ['adds a field', { a: 1 }, [add('/b', 2)], { a: 1, b: 2 }],
    ['add replaces a field', { a: 1 }, [add('/a', 2)], { a: 2 }],
    ['inserts into a list', { l: [1, 3] }, [add('/l/1', 2)], { l: [1, 2, 3] }],
    ['inserts at the end', { l: [1] }, [add('/l/1', 2)], { l: [1, 2] }],
    ['appends', { l: [1] }, [add('/l/-', 2)], { l: [1, 2] }],
    ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 2 }], { a: { b: 2 } }],
    ['replaces an item', { l: [1, 2] }, [{ op: 'replace', path: '/l/0', value: 9 }], { l: [9, 2] }],
    ['replaces everything', { a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
    ['sets null', { a: 1 }, [add('/a', null)], { a: null }],
    ['removes a field', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes an item', { l: [1, 2, 3] }, [{ op: 'remove', path: '/l/1' }], { l: [1, 3] }],
    ['moves', { a: 1, o: {} }, [{ op: 'move', from: '/a', path: '/o/b' }], { o: { b: 1 } }],
    ['moves within a list', { l: [1, 2, 3] }, [{ op: 'move', from: '/l/0', path: '/l/2' }], { l: [2, 3, 1] }],
    ['copies', { a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
    ['tests', { a: { x: [1] } }, [{ op: 'test', path: '/a', value: { x: [1] } }], { a: { x: [1] } }],
    ['tests whatever the order of keys', { a: { x: 1, y: 2 } }, [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }], { a: { x: 1, y: 2 } }],
    ['tests for nothing', { a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    ['unescapes', { 'a/b': { 'c~d': 1 } }, [{ op: 'replace', path: '/a~1b/c~0d', value: 2 }], { 'a/b': { 'c~d': 2 } }],
    ['unescapes in the right order', { '~1': 1 }, [{ op: 'remove', path: '/~01' }], {}],
    ['does several in order', { a: 1 }, [add('/b', []), add('/b/-', 1), { op: 'remove', path: '/a' }], { b: [1] }],
    ['an empty key is a key', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
    ['does nothing', { a: 1 }, [], { a: 1 }],
  ])('%s', (_name, document, patch, expected) => {
    const copy = structuredClone(document)
    expect(applyJsonPatch(document, patch)).toStrictEqual({ ok: true, value: expected })
    expect(document).toStrictEqual(copy)
  })

  it.each([
    ['no list', {}, /must be a list/],
    ['no operation', ['x'], /operation 0: must be an object/],
    ['an unknown op', [{ op: 'merge', path: '/a' }], /op must be add/],
    ['no path', [{ op: 'remove' }], /path must be a text/],
    ['a path without slash', [add('a', 1)], /must start with "\/"/],
    ['a bad escape', [add('/a~2', 1)], /"~"/],
    ['no value', [{ op: 'add', path: '/a' }], /value is required/],
    ['a missing parent', [add('/x/y', 1)], /there is no "x"/],
    ['a field of a number', [add('/n/y', 1)], /neither an object nor a list/],
    ['removing nothing', [{ op: 'remove', path: '/x' }], /operation 0 \(remove "\/x"\): there is no "x"/],
    ['replacing nothing', [{ op: 'replace', path: '/x', value: 1 }], /there is no "x"/],
    ['an index beyond the end', [add('/l/3', 1)], /not an index of a list of 2/],
    ['a leading zero', [add('/l/01', 1)], /not an index/],
    ['replacing behind the end', [{ op: 'replace', path: '/l/-', value: 1 }], /not an index/],
    ['a failed test', [{ op: 'test', path: '/n', value: 2 }], /test failed: the value is another/],
    ['a test of nothing', [{ op: 'test', path: '/x', value: 2 }], /test failed: there is nothing/],
    ['removing everything', [{ op: 'remove', path: '' }], /cannot be removed/],
    ['moving into itself', [{ op: 'move', from: '/o', path: '/o/x/y' }], /into itself/],
    ['copying nothing', [{ op: 'copy', from: '/x', path: '/y' }], /nothing at from/],
    ['the prototype by path', [add('/__proto__/polluted', 1)], /never allowed/],
    ['the prototype by value', [add('/x', JSON.parse('{"__proto__":1}'))], /never allowed/],
    ['inherited fields', [{ op: 'remove', path: '/o/toString' }], /there is no "toString"/],
    ['too many operations', Array.from({ length: 1001 }, () => ({ op: 'test', path: '/n', value: 1 })), /at most 1000 operations/],
    ['growing too deep', Array.from({ length: 40 }, () => ({ op: 'copy', from: '/o', path: '/o/x' })), /nested deeper than 32/],
  ])('refuses %s', (_name, patch, why) => {
    expect(applyJsonPatch({ n: 1, l: [1, 2], o: { x: {} } }, patch)).toEqual(refused(why))
  })

  it('refuses to double a document without end', () => {
    const patch = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/l', path: `/l/${i}` }))
    expect(applyJsonPatch({ l: ['0123456789'] }, patch)).toEqual(refused(/exceed|nested deeper/))
    const wide = Array.from({ length: 40 }, () => ({ op: 'copy', from: '', path: '/a' }))
    expect(applyJsonPatch({ a: 1, text: 'x'.repeat(20_000) }, wide)).toEqual(refused(/copies of this patch exceed 262144 bytes|nested deeper/))
  })
})
