/** The pure parts of the pages: where dots and rows go, what a change does to a text, what may be decided about a rollout. */
import { describe, expect, it } from 'vitest'
import { diffLines } from '../cloud/console/web/editor/diff.ts'
import { readManifests, manifestText } from '../cloud/console/web/editor/manifest.ts'
import { deviceAt, groupAt, layoutField, placeOf, stepFrom } from '../cloud/console/web/field/layout.ts'
import { paintField, stampFor } from '../cloud/console/web/field/paint.ts'
import { drainSays, sorted } from '../cloud/console/web/drain-plan.ts'
import { qrCode } from '../cloud/console/web/qr-code.ts'
import { excludeAndResume, rolloutActions, shellOf } from '../cloud/console/web/rollout/actions.ts'
import { VERDICT_GROUPS } from '../cloud/console/web/rollout/verdict-groups.ts'
import { RowSlots, heldOrder, rowForKey, scrollFor, visibleRows, windowFor } from '../cloud/console/web/virtual-rows.ts'
import { rolloutPart } from '../cloud/console/rollout-row.ts'
import { STANDING_ORDER } from '../cloud/console/vocabulary.ts'
import type { Rollout } from '../cloud/resources/rollout.ts'
import { VERDICTS } from '../cloud/resources/rollout-verdict.ts'
import { rollout } from './fixtures/console-fleet.ts'

describe('the field', () => {
  it('has a place for every device, and finds the device at each place', () => {
    const counts = [3, 500, 41, 1, 1200]
    const layout = layoutField(counts, 700)
    const total = counts.reduce((a, b) => a + b)
    const seen = new Set<string>()
    for (let device = 0; device < total; device += 1) {
      const place = placeOf(layout, device)
      expect(place).not.toBeNull()
      seen.add(JSON.stringify(place))
      expect(deviceAt(layout, (place?.x ?? -1) + 1, (place?.y ?? -1) + 1)).toBe(device)
      expect((place?.x ?? 0) + layout.dot).toBeLessThanOrEqual(700)
      expect((place?.y ?? 0) + layout.dot).toBeLessThanOrEqual(layout.height)
    }
    expect(seen.size).toBe(total)
    expect(placeOf(layout, total)).toBeNull()
    expect(groupAt(layout, 5, 5)).toBe(0)
  })

  it('is worked by arrow keys and never left by them', () => {
    const layout = layoutField([10, 10], 400)
    expect(stepFrom(layout, 0, 'ArrowLeft')).toBe(0)
    expect(stepFrom(layout, 9, 'ArrowRight')).toBe(10)
    expect(stepFrom(layout, 19, 'ArrowDown')).toBe(19)
    expect(stepFrom(layout, 4, 'End')).toBe(19)
    expect(stepFrom(layout, 4, 'Home')).toBe(0)
  })

  it('draws each standing as another shape, and only what is on the screen', () => {
    const shapes = STANDING_ORDER.map((standing) => JSON.stringify(stampFor(standing, 9)))
    expect(new Set(shapes).size).toBe(STANDING_ORDER.length)
    const layout = layoutField([400], 200)
    const pixels = new Uint32Array(200 * 50)
    const palette = { failed: 1, 'not-placed': 1, offline: 1, degraded: 1, updating: 1, 'never-seen': 1, ok: 1 }
    paintField(pixels, { layout, bytes: new Uint8Array(400), top: 100, ratio: 1, width: 200, height: 50 }, palette)
    expect(pixels.includes(1)).toBe(true)
    expect(pixels.length).toBe(200 * 50)
    // every dot that is seen, whole, and nothing beside it
    const small = layoutField([70_000], 203)
    const seen = new Uint32Array(203 * 50)
    paintField(seen, { layout: small, bytes: new Uint8Array(70_000), top: 2000, ratio: 1, width: 203, height: 50 }, palette)
    expect(seen.reduce((sum, pixel) => sum + pixel, 0)).toBe(50 * 12 * small.dot ** 2)
  })
})

describe('a drain', () => {
  it('moves what is made again elsewhere, and leaves the rest with a word', () => {
    const pod = (name: string, owner: string, phase = 'Running') => ({
      metadata: { name, namespace: 'a', ownerReferences: owner === '' ? [] : [{ kind: owner, controller: true }] },
      status: { phase },
    })
    const plan = sorted([
      pod('one', 'ReplicaSet'),
      pod('two', 'StatefulSet'),
      pod('three', 'DaemonSet'),
      pod('alone', ''),
      pod('done', 'Job', 'Succeeded'),
    ])
    expect(plan.moving.map(({ metadata }) => metadata.name)).toEqual(['one', 'two'])
    expect(drainSays(plan)).toBe(
      'No new pods are placed there. 2 pods are ended there and made again where there is room. 1 pod of DaemonSets stays. ' +
        '1 pod that nothing would make again stays, too: delete it by hand.',
    )
  })
})

describe('a QR code', () => {
  it('is the one that others make of the same text, and none of a text that is too long', () => {
    const shown = (qrCode('http://10.0.0.1/') ?? []).map((row) => row.map((dark) => (dark ? '#' : '.')).join(''))
    expect(shown).toEqual(QR_OF_ADDRESS)
    expect(qrCode('x'.repeat(106))?.length).toBe(41)
    expect(qrCode('x'.repeat(107))).toBeNull()
  })
})

describe('long lists', () => {
  it('have the visible rows within the window that is asked for', () => {
    for (const top of [0, 1, 4400, 2_199_000, 4_399_999]) {
      const visible = visibleRows(top, 700, 44, 100_000)
      const { offset, limit } = windowFor(visible)
      expect(offset).toBeLessThanOrEqual(visible.first)
      expect(offset + limit).toBeGreaterThanOrEqual(visible.end)
      expect(limit).toBeLessThanOrEqual(300)
      expect(visible.end).toBeLessThanOrEqual(100_000)
    }
    expect(visibleRows(0, 700, 44, 0)).toEqual({ first: 0, end: 0 })
    // in a jump of more than a screen hardly any row beside it; all that is seen of it in any case
    expect(visibleRows(44_000, 700, 44, 100_000, 42_000)).toEqual({ first: 999, end: 1017 })
    expect(visibleRows(44_000, 700, 44, 100_000, 43_900)).toEqual({ first: 994, end: 1022 })
  })

  it('are walked by keys, and a row is scrolled to only when it is not seen', () => {
    expect(rowForKey('End', 5, 10, 100)).toBe(99)
    expect(rowForKey('PageUp', 5, 10, 100)).toBe(0)
    expect(rowForKey('x', 5, 10, 100)).toBeNull()
    expect(scrollFor(3, 0, 440, 44)).toBeNull()
    expect(scrollFor(50, 0, 440, 44)).toBe(51 * 44 - 440)
  })

  it('give elements of rows that left to rows that came, and never the one with the focus', () => {
    const slots = new RowSlots()
    const ids = (from: number): readonly string[] => Array.from({ length: 30 }, (_, at) => `row ${from + at}`)
    const first = slots.assign(ids(0), null)
    expect(new Set(first).size).toBe(30)
    // one row further: all but one keep their element, the new one has that of the row that left
    const next = slots.assign(ids(1), null)
    expect(next.slice(0, 29)).toEqual(first.slice(1))
    expect(next[29]).toBe(first[0])
    // far away: the same elements, none made
    expect(slots.assign(ids(5000), null).toSorted((a, b) => a - b)).toEqual(first.toSorted((a, b) => a - b))
    const focused = slots.assign(ids(9000), null)[3] ?? null
    expect(slots.assign(ids(0), focused)).not.toContain(focused)
  })

  it('keep rows in their places under the pointer, with what is newest in them', () => {
    const key = (row: { readonly k: string }): string => row.k
    const [a, b, c] = [
      { k: 'a', n: 2 },
      { k: 'b', n: 2 },
      { k: 'c', n: 2 },
    ]
    expect(heldOrder(['a', 'b'], [b, a], key)).toEqual([a, b])
    expect(heldOrder(['a', 'b'], [b, c], key)).toEqual([b, c])
    expect(heldOrder(null, [b, a], key)).toEqual([b, a])
  })
})

describe('the editor', () => {
  it('shows what goes and comes with a little around it', () => {
    const before = Array.from({ length: 20 }, (_, at) => `line ${at}`).join('\n')
    const diff = diffLines(before, before.replace('line 10', 'line ten'))
    expect(diff.map((line) => `${line.mark}${line.text}`)).toEqual([
      '…',
      ' line 7',
      ' line 8',
      ' line 9',
      '-line 10',
      '+line ten',
      ' line 11',
      ' line 12',
      ' line 13',
      '…',
    ])
    expect(diffLines(before, before)).toEqual([])
    expect(diffLines('', 'a\nb\n')).toEqual([
      { mark: '+', text: 'a' },
      { mark: '+', text: 'b' },
    ])
  })

  it('finds the path of an object and the line of a field, and says what is wrong with a text', () => {
    const kinds = [{ apiVersion: 'apps/v1', kind: 'Deployment', prefix: '/apis/apps/v1', plural: 'deployments', namespaced: true }]
    const text =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - image: a\n'
    const read = readManifests(text, kinds)
    expect(read.ok && read.manifests[0]?.path).toBe('/apis/apps/v1/namespaces/default/deployments/web')
    expect(read.ok && read.manifests[0]?.lineOf('spec.template.spec.containers[0].image')).toBe(9)
    expect(read.ok && read.manifests[0]?.lineOf('spec.none.deeper')).toBe(6)
    for (const [bad, why] of [
      ['a: [', /./],
      ['- 1', /An object has/],
      ['kind: X', /needs apiVersion/],
      ['', /no object/],
      [text.replace('apps/v1', 'apps/v9'), /not a kind/],
    ] as const)
      expect(readManifests(bad, kinds)).toMatchObject({ ok: false, why: expect.stringMatching(why) as string })
    expect(
      manifestText({
        kind: 'X',
        metadata: { name: 'a', uid: 'u', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
        status: {},
      }),
    ).toBe('kind: X\nmetadata:\n  name: a\n')
  })
})

describe('a rollout', () => {
  const part = rolloutPart(rollout('sensor-2', 'Paused') as unknown as Rollout)

  it('offers its decisions in a fixed order, and says why one cannot be made', () => {
    expect(rolloutActions(part).map(({ label, whyNot }) => (whyNot === '' ? label : `(${label})`))).toEqual([
      '(Approve wave)',
      'Resume',
      '(Pause)',
      'Promote wave',
      'Retry failed',
      'Roll back wave',
      'Abort and roll back all',
    ])
    expect(rolloutActions(part).at(-1)?.effect).toBe(
      '1,300 go back to what was before, 320 offline go back when they return, 1,480 untouched. This ends the rollout for good.',
    )
    expect(excludeAndResume(['a', 'b']).body).toEqual({ action: 'exclude', names: ['a', 'b'], resume: true })
    const path = '/apis/skerry.dev/v1/namespaces/line-2/rollouts/r'
    expect(shellOf(excludeAndResume(['a', 'b']), path)?.command).toBe('skerry rollout exclude r -n line-2 --device a --device b --resume')
    expect(shellOf(excludeAndResume(Array.from({ length: 9 }, String)), path)).toBeUndefined()
  })

  it('has a group for every verdict of the API, each in one group', () => {
    expect(VERDICT_GROUPS.flatMap((group) => group.verdicts).toSorted()).toEqual([...VERDICTS].toSorted())
  })

  it('says its phase in the words of the console', () => {
    expect(rolloutPart(rollout('m', 'WaitingApproval') as unknown as Rollout).row).toMatchObject({ word: 'waiting-approval', waits: 'approval' })
  })
})

/** made by another encoder (uqr 0.1.3) with the same mask */
const QR_OF_ADDRESS: readonly string[] = [
  '#######.##...##.#.#######',
  '#.....#..###.###..#.....#',
  '#.###.#..###..#...#.###.#',
  '#.###.#.##.#....#.#.###.#',
  '#.###.#.#####.....#.###.#',
  '#.....#.#.##....#.#.....#',
  '#######.#.#.#.#.#.#######',
  '........#.#.##...........',
  '#...#.####..##.#.#####..#',
  '.#.#.#.#.#.#####...###.#.',
  '##########.....#..#..##..',
  '##.....#..#...#####...##.',
  '##.#..#.#.##.##.#.#..####',
  '####...#....#..#.#.##..#.',
  '....####..########.#.##..',
  '...#...##.##.#...#...###.',
  '##....###...##.########..',
  '........#....##.#...#.#..',
  '#######.##......#.#.##...',
  '#.....#..##.#.###...####.',
  '#.###.#.#.##.##.#####.#.#',
  '#.###.#..#..#.....#..####',
  '#.###.#...#########....#.',
  '#.....#....#.#....######.',
  '#######.#.#.##........###',
]
