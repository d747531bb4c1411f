import { describe, expect, it } from 'vitest'
import { parseFieldSelector, parseLabelSelector, selects } from '../cloud/core/selector.ts'
import { formatLabelSelector, formatLabels, matchesRequirements } from '../cloud/resources/label-selector.ts'
import type { LabelSelector } from '../cloud/resources/object.ts'

const LABELS = { app: 'web', tier: 'front', 'example.com/zone': 'a', empty: '' }

function picks(text: string): boolean {
  const parsed = parseLabelSelector(text)
  if (!parsed.ok) throw new Error(parsed.why)
  return matchesRequirements(parsed.value, LABELS)
}

describe('label selector text', () => {
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app=db', false],
    ['app!=web', false],
    ['app!=db', true],
    ['missing!=db', true],
    ['missing=db', false],
    ['empty=', true],
    ['app=', false],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['! app', false],
    ['app in (web,db)', true],
    ['app in ( web , db )', true],
    ['app in(web)', true],
    ['app in (db)', false],
    ['empty in ()', true],
    ['app notin (db)', true],
    ['app notin (web)', false],
    ['missing notin (web)', true],
    ['example.com/zone=a', true],
    ['app=web,tier=front', true],
    ['app=web,tier=back', false],
    ['app in (web,db),tier in (front),!missing,empty', true],
    [' app = web , tier != back ', true],
    ['toString', false],
    ['!toString', true],
  ])('%j', (text, expected) => {
    expect(picks(text)).toBe(expected)
  })

  it.each([
    '=web',
    'a,,b',
    'app=web,',
    ',',
    'app in web',
    'app in (a',
    'app=a=b',
    'app>1',
    'a b',
    '!',
    'app notin',
    '-a=b',
    'app=-x',
    `${'k'.repeat(64)}=v`,
  ])('refuses %j', (text) => {
    const parsed = parseLabelSelector(text)
    expect(parsed.ok ? parsed.value : parsed.why).toMatch(/^label selector ".*": /)
  })
})

describe('label selector object', () => {
  const cases: readonly (readonly [string, LabelSelector | undefined, boolean])[] = [
    ['missing matches nothing', undefined, false],
    ['empty matches everything', {}, true],
    ['labels', { matchLabels: { app: 'web' } }, true],
    ['other labels', { matchLabels: { app: 'web', tier: 'back' } }, false],
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'web'] }] }, true],
    ['NotIn', { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
    ['NotIn where absent', { matchExpressions: [{ key: 'z', operator: 'NotIn', values: ['web'] }] }, true],
    ['Exists', { matchExpressions: [{ key: 'empty', operator: 'Exists' }] }, true],
    ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
    ['both', { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
  ]
  it.each(cases)('%s', (_name, selector, expected) => {
    expect(selects(selector, LABELS)).toBe(expected)
  })

  it('matches nothing to no labels but what is absent', () => {
    expect(selects({ matchLabels: { a: 'b' } }, undefined)).toBe(false)
    expect(selects({ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, undefined)).toBe(true)
  })

  it('prints as kubectl does', () => {
    const expressions = [
      { key: 'z', operator: 'In', values: ['b', 'a'] },
      { key: 'm', operator: 'DoesNotExist' },
    ]
    expect(formatLabelSelector({ matchLabels: { b: '1', a: '2' }, matchExpressions: expressions })).toBe('a=2,b=1,!m,z in (a,b)')
    expect(formatLabelSelector({})).toBe('<none>')
    expect(formatLabels({ b: '1', a: '2' })).toBe('a=2,b=1')
    expect(formatLabels(undefined)).toBe('<none>')
  })
})

describe('field selector text', () => {
  it('reads requirements', () => {
    expect(parseFieldSelector('metadata.name=web,status.phase!=Failed, spec.nodeName==gw-1')).toEqual({
      ok: true,
      value: [
        { field: 'metadata.name', equal: true, value: 'web' },
        { field: 'status.phase', equal: false, value: 'Failed' },
        { field: 'spec.nodeName', equal: true, value: 'gw-1' },
      ],
    })
  })

  it.each([
    ['', []],
    ['a=', [{ field: 'a', equal: true, value: '' }]],
    ['a=x\\,y', [{ field: 'a', equal: true, value: 'x,y' }]],
    ['a=x\\=y\\\\z', [{ field: 'a', equal: true, value: 'x=y\\z' }]],
  ])('%j', (text, expected) => {
    expect(parseFieldSelector(text)).toEqual({ ok: true, value: expected })
  })

  it.each(['a', '=b', '!a', 'a in (b)', 'a=b=c', 'a=b\\'])('refuses %j', (text) => {
    const parsed = parseFieldSelector(text)
    expect(parsed.ok ? parsed.value : parsed.why).toMatch(/^field selector ".*": cannot read/)
  })
})
