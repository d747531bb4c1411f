/** The form of a rollout beside its text: each changes the other, and what the form does not know stays. */
import { expect, it } from 'vitest'
import { readDraft, withField, withoutWave, withSpan, withWave } from '../cloud/console/web/editor/rollout-draft.ts'
import { TEMPLATES } from '../cloud/console/web/editor/templates.ts'

const TEXT = TEMPLATES['rollout'] ?? ''

it('reads what the template says', () => {
  expect(readDraft(TEXT)).toEqual({
    name: 'sensor-1-37',
    namespace: 'default',
    daemonSet: 'sensor',
    images: { main: 'busybox:1.37' },
    waves: [
      { name: 'canary', span: 'count', amount: 1, approval: false },
      { name: 'tenth', span: 'percent', amount: 10, approval: false },
      { name: 'rest', span: 'rest', amount: 0, approval: true },
    ],
    healthyPercent: '95',
    soakSeconds: '60',
    maxFailurePercent: '5',
  })
})

it('changes one field and nothing else: comments and unknown fields stay', () => {
  const by = `${TEXT}  maxParallel: 7 # by hand\n`
  const named = withField(by, ['metadata', 'name'], 'night')
  expect(named).toBe(by.replace('sensor-1-37', 'night'))
  const image = withField(named, ['spec', 'release', 0, 'images', 'side'], 'proxy:2')
  expect(image).toContain('images: { main: busybox:1.37, side: proxy:2 }')
  expect(image).toContain('maxParallel: 7 # by hand')
  expect(image).toContain('# first one device, then a tenth')
  expect(readDraft(withField(image, ['spec', 'release', 0, 'images', 'side'], undefined))?.images).toEqual({ main: 'busybox:1.37' })
})

it('adds waves before the last, changes their measure, and takes them out', () => {
  const four = withWave(TEXT)
  expect(readDraft(four)?.waves.map(({ name, amount }) => `${name} ${amount}`)).toEqual(['canary 1', 'tenth 10', 'wave-3 25', 'rest 0'])
  const counted = withSpan(four, 2, 'count', 500)
  expect(readDraft(counted)?.waves[2]).toMatchObject({ span: 'count', amount: 500 })
  expect(counted).not.toContain('percent: 25')
  expect(readDraft(withSpan(counted, 2, 'rest', 1))?.waves[2]?.span).toBe('rest')
  expect(readDraft(withoutWave(counted, 0))?.waves.map(({ name }) => name)).toEqual(['tenth', 'wave-3', 'rest'])
  const selected = TEXT.replace('count: 1', 'selector: { matchLabels: { site: a } }')
  expect(readDraft(selected)?.waves[0]?.span).toBe('other')
  expect(withSpan(selected, 0, 'other', 1)).toBe(selected)
})

it('steps aside for a text that is no single Rollout, and leaves it as it is', () => {
  for (const text of ['', 'kind: Rollout\n  bad: [', TEMPLATES['deployment'] ?? '', `${TEXT}---\n${TEXT}`, '- a\n']) {
    expect(readDraft(text), text).toBeNull()
    expect(withWave(text)).toBe(text)
    expect(withField(text, ['spec', 'paused'], true)).toBe(text)
  }
  expect(readDraft('kind: Rollout\n')?.waves).toEqual([])
})
