/** What the agent decides about images: names, room, pins, clean-up, waiting. */
import { describe, expect, it } from 'vitest'
import { pullDelayMs } from '../edge-agent/core/backoff.ts'
import { noteBegun, waitForBudget } from '../edge-agent/core/image-budget.ts'
import { imagesToRemove } from '../edge-agent/core/image-gc.ts'
import type { GcInput } from '../edge-agent/core/image-gc.ts'
import { newsOfPull, progressText } from '../edge-agent/core/image-progress.ts'
import { NO_RECORD, noteAttempt, noteDamaged, noteFetched, notePin, noteRepaired, pinOf } from '../edge-agent/core/image-record.ts'
import type { ImageRecord } from '../edge-agent/core/image-record.ts'
import { parseReference, repositoryOf, withTag } from '../edge-agent/core/image-reference.ts'
import { whyNoRoom } from '../edge-agent/core/image-space.ts'
import { credentialFor, imageUseOf, releaseOf, wakePulls } from '../edge-agent/core/image-use.ts'
import type { DesiredState, PullCredential } from '../edge-agent/core/model.ts'
import { cause } from '../protocol/causes.ts'
import { podSpecHash } from '../protocol/desired-state.ts'
import { LIMITS } from '../protocol/limits.ts'
import { desiredOf, ledgerOf, pod } from './agent-world.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('references', () => {
  it.each([
    ['busybox', 'docker.io', 'library/busybox', 'latest', null],
    ['acme/app:2', 'docker.io', 'acme/app', '2', null],
    ['index.docker.io/acme/app', 'docker.io', 'acme/app', 'latest', null],
    ['localhost/app', 'localhost', 'app', 'latest', null],
    ['10.0.0.1:5000/a/b:1', '10.0.0.1:5000', 'a/b', '1', null],
    [`ghcr.io/acme/app@${digest}`, 'ghcr.io', 'acme/app', null, digest],
    [`ghcr.io/acme/app:1@${digest}`, 'ghcr.io', 'acme/app', '1', digest],
  ])('%s', (text, registry, repository, tag, wanted) => {
    expect(parseReference(text)).toEqual({ registry, repository, tag, digest: wanted })
  })

  it('refuses what is none', () => {
    for (const text of ['', 'UPPER', 'a b', 'app@sha256:12', 'host.io/', 'app:']) expect(parseReference(text), text).toBeNull()
    expect(withTag('host:5000/app')).toBe('host:5000/app:latest')
    expect(repositoryOf('app:1')).toBe(repositoryOf('docker.io/library/app:2'))
  })
})

describe('releases', () => {
  const named = (labels: Readonly<Record<string, string>>, uid: string): ReturnType<typeof pod> => ({ ...pod({ uid }), labels })

  it('are one for the pods of a revision, and new ones after a restart of the rollout', () => {
    expect(releaseOf(named({ 'pod-template-hash': 'r1' }, 'u1'))).toBe(releaseOf(named({ 'pod-template-hash': 'r1' }, 'u2')))
    expect(releaseOf(named({ 'pod-template-hash': 'r1' }, 'u1'))).not.toBe(releaseOf(named({ 'pod-template-hash': 'r2' }, 'u1')))
    expect(releaseOf(named({}, 'u1'))).not.toBe(releaseOf(named({}, 'u2')))
  })

  it('do not change with pull secrets, which are named with their namespace', () => {
    const plain = pod({ uid: 'u' })
    const opened = { ...plain, spec: { ...plain.spec, imagePullSecrets: [{ name: 'pull' }] } }
    expect(podSpecHash(opened.spec, undefined)).toBe(podSpecHash(plain.spec, undefined))
    expect(imageUseOf(opened).secrets).toEqual(['default/pull'])
  })
})

describe('credentials', () => {
  const one = (secret: string, password: string): PullCredential => ({ secret, registry: 'r.io', username: 'u', password })
  const withCredentials = (credentials: readonly PullCredential[]): DesiredState => ({ ...desiredOf([pod({ uid: 'u' })]), credentials })

  it('open a registry only for pods that name their secret', () => {
    const known = [one('default/a', '1'), one('default/b', '2')]
    expect(credentialFor(known, 'r.io', ['default/b', 'default/a'])?.password).toBe('2')
    expect(credentialFor(known, 'other.io', ['default/a'])).toBeNull()
    expect(credentialFor(known, 'r.io', ['other/a'])).toBeNull()
  })

  it('wake waiting pulls when they change, and nothing else', () => {
    const ledger = ledgerOf({
      'u/app/a1': { failures: 5, notBeforeMonoMs: 1e9, lastCause: cause('image.pull.denied', { image: 'x', why: 'y' }) },
      'u/other/a1': { failures: 5, notBeforeMonoMs: 1e9, lastCause: cause('container.crash-loop', { code: 1, restarts: 1 }) },
    })
    const before = withCredentials([one('default/a', 'old')])
    expect(wakePulls(ledger, before, withCredentials([one('default/a', 'old')]))).toBe(ledger)
    const woken = wakePulls(ledger, before, withCredentials([one('default/a', 'new')]))
    expect(woken['u/app/a1']).toMatchObject({ failures: 0, notBeforeMonoMs: null })
    expect(woken['u/other/a1']).toBe(ledger['u/other/a1'])
  })
})

describe('waiting', () => {
  it('has full jitter and a ceiling', () => {
    const delays = Array.from({ length: 200 }, (_, device) => pullDelayMs(20, `device-${device}`))
    expect(Math.max(...delays)).toBeLessThanOrEqual(LIMITS.pullRetryMaxMs.value)
    expect(Math.min(...delays)).toBeLessThan(LIMITS.pullRetryMaxMs.value / 10)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(LIMITS.retryFirstMs.value)
  })

  it('keeps within the budget of an hour', () => {
    let begun: readonly number[] = []
    for (let index = 0; index < LIMITS.pullsPerHour.value; index += 1) {
      expect(waitForBudget(begun, index * 1000)).toBeNull()
      begun = noteBegun(begun, index * 1000)
    }
    expect(waitForBudget(begun, 100_000)).toBe(3_500_000)
    expect(waitForBudget(begun, 3_600_000)).toBeNull()
  })
})

it('tells progress in words, and tenths as news', () => {
  const pull = { attempt: 3, layersDone: 4, layersTotal: 7, bytesDone: 43_400_000, bytesTotal: 119_600_000, active: true }
  expect(progressText(pull)).toBe('layer 5 of 7, 43 of 120 MB, attempt 3, resumes')
  expect(progressText({ ...pull, attempt: 1, layersTotal: 0 })).toBe('starting')
  expect(progressText({ ...pull, attempt: 1, limit: 200 * 1024 })).toBe('layer 5 of 7, 43 of 120 MB, limited to 200.0 KiB/s')
  expect(progressText({ ...pull, attempt: 1, layersTotal: 0, unheld: true })).toBe('not limited: the engine fetches it itself')
  expect(newsOfPull({ ...pull, bytesDone: 43_500_000 })).toEqual(newsOfPull(pull))
  expect(newsOfPull({ ...pull, bytesDone: 60_000_000 })).not.toEqual(newsOfPull(pull))
})

it('compares what an image needs with what is free, less the reserve', () => {
  const GB = 1_000_000_000
  expect(whyNoRoom([100_000_000, 50_000_000], { free: 2 * GB, total: 100 * GB })).toBeNull()
  expect(whyNoRoom([100_000_000, 50_000_000], { free: 1 * GB, total: 100 * GB })).toBe(
    'it needs about 575 MB, 1000 MB are free and 537 MB of them are kept as a reserve',
  )
  // a small device keeps less
  expect(whyNoRoom([10_000_000], { free: 200_000_000, total: 2 * GB })).toBeNull()
  expect(whyNoRoom([], { free: 0, total: GB })).toBeNull()
})

describe('the record', () => {
  const fetched = (id: string, reference: string, record: ImageRecord = NO_RECORD): ImageRecord => noteFetched(record, { id, reference })

  it('counts attempts until one ends well', () => {
    const tried = noteAttempt(noteAttempt(NO_RECORD, 'a:1'), 'a:1')
    expect(tried.attempts).toEqual({ 'a:1': 2 })
    expect(fetched('i', 'a:1', tried).attempts).toEqual({})
  })

  it('pins a release until it is told otherwise, and counts repairs of the same bytes', () => {
    const pinned = notePin(fetched('i1', 'a:1'), { image: 'a:1', release: 'r1', id: 'i1' })
    expect(pinOf(fetched('i2', 'a:1', pinned), 'a:1', 'r1')?.id).toBe('i1')
    expect(pinOf(pinned, 'a:1', 'r2')).toBeNull()
    const repaired = noteRepaired(noteDamaged(pinned, 'i1', 'a:1'), 'i1')
    expect(fetched('i1', 'a:1', repaired).images.at(-1)).toMatchObject({ id: 'i1', repairs: 1 })
  })

  it('never grows beyond its bound', () => {
    let record = NO_RECORD
    for (let index = 0; index < 2 * LIMITS.imagesRemembered.value; index += 1) {
      record = notePin(fetched(`i${index}`, `a:${index}`, noteAttempt(record, `b:${index}`)), { image: `a:${index}`, release: 'r', id: `i${index}` })
    }
    expect(
      [record.images.length, record.pins.length, Object.keys(record.attempts).length].every((size) => size <= LIMITS.imagesRemembered.value),
    ).toBe(true)
    expect(record.images.at(-1)?.id).toBe(`i${2 * LIMITS.imagesRemembered.value - 1}`)
  })
})

describe('garbage collection', () => {
  const size = 1_000
  const history = ['app:1', 'app:2', 'app:3', 'old:1', 'used:1', 'ahead:1'].reduce<ImageRecord>(
    (record, reference) => noteFetched(record, { id: `id-${reference}`, reference }),
    NO_RECORD,
  )
  const input = (usedPercent: number, more: Partial<GcInput> = {}): GcInput => ({
    present: [...history.images.map(({ id, reference }) => ({ id, references: [reference], size })), { id: 'foreign', references: ['db:1'], size }],
    inUse: new Set(['id-used:1']),
    wanted: { credentials: [], prefetch: ['ahead:1'], images: [{ image: 'app:3', release: 'r' }] },
    record: history,
    space: { free: 10_000 * (1 - usedPercent / 100), total: 10_000 },
    ...more,
  })

  it('does nothing below the high watermark', () => expect(imagesToRemove(input(79))).toEqual([]))

  it('keeps what is used, desired, prefetched, and the release before; the least recently used goes first', () => {
    expect(imagesToRemove(input(94))).toEqual(['id-app:1', 'id-old:1'])
  })

  it('ends at the low watermark', () => expect(imagesToRemove(input(80))).toEqual(['id-app:1']))

  it('takes images of others only when the disk is critically full, and last', () => {
    expect(imagesToRemove(input(99))).toEqual(['id-app:1', 'id-old:1', 'foreign'])
  })

  it('takes everything that may go when a pull found no room', () => {
    expect(imagesToRemove(input(10, { pressed: true }))).toEqual(['id-app:1', 'id-old:1'])
  })

  it('keeps what a desired release is pinned to, also when its tag has moved', () => {
    const pinned = notePin(history, { image: 'app:3', release: 'r', id: 'id-app:1' })
    expect(imagesToRemove(input(94, { record: pinned }))).toEqual(['id-old:1'])
  })

  it('never takes what is kept, in any mixture', () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const bit = (index: number): boolean => ((seed * 2_654_435_761) >>> (index % 31)) % 2 === 1
      const inUse = new Set(history.images.filter((_, index) => bit(index)).map(({ id }) => id))
      const images = history.images.filter((_, index) => bit(index + 7)).map(({ reference }) => ({ image: reference, release: 'r' }))
      const gone = imagesToRemove(input(99, { inUse, wanted: { credentials: [], prefetch: [], images }, pressed: bit(20) }))
      expect(gone.filter((id) => inUse.has(id) || images.some(({ image }) => id === `id-${image}`))).toEqual([])
    }
  })
})
