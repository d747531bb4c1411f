/** What every backend of the resource store must do. A backend passes all of it or is not a backend. */
import { describe, expect, it } from 'vitest'
import { lists } from './store-lists.contract.ts'
import { decoded, stored, thing } from './store-tools.ts'
import type { Open } from './store-tools.ts'
import { watches } from './store-watches.contract.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'

export function storeContract(name: string, open: Open): void {
  describe(`${name}: one object`, () => oneObject(open))
  describe(`${name}: lists`, () => lists(open))
  describe(`${name}: watches`, () => watches(open))
  describe(`${name}: facts and closing`, () => factsAndClosing(open))
}

function oneObject(open: Open): void {
  it('creates, reads, updates and deletes', async () => {
    const store = await open()
    expect(await store.get('things', 'default', 'a')).toBeNull()
    const created = stored(await store.create('things', thing('a', 1)))
    expect(created).toMatchObject({ resource: 'things', namespace: 'default', name: 'a', uid: 'uid-a' })
    expect(await store.get('things', 'default', 'a')).toEqual(created)
    expect(decoded(created)).toEqual({ ...thing('a', 1), metadata: { ...thing('a', 1).metadata, resourceVersion: String(created.revision) } })

    const updated = stored(await store.update('things', thing('a', 2), created.revision))
    expect(updated.revision).toBeGreaterThan(created.revision)
    expect(await store.get('things', 'default', 'a')).toEqual(updated)

    const deleted = stored(await store.delete('things', 'default', 'a', updated.revision))
    expect(deleted.revision).toBeGreaterThan(updated.revision)
    expect(decoded(deleted)).toMatchObject({ value: 2, metadata: { resourceVersion: String(deleted.revision) } })
    expect(await store.get('things', 'default', 'a')).toBeNull()
    await store.close()
  })

  it('keeps resources and namespaces apart, and cluster-scoped objects under ""', async () => {
    const store = await open()
    const cluster: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } }
    await store.create('things', thing('a', 1))
    await store.create('things', thing('a', 2, 'other'))
    await store.create('nodes', cluster)
    expect(decoded(await store.get('things', 'other', 'a'))).toMatchObject({ value: 2 })
    expect(await store.get('nodes', '', 'a')).toMatchObject({ namespace: '', uid: '' })
    expect(await store.get('nodes', 'default', 'a')).toBeNull()
    await store.close()
  })

  it('says why a write is refused, shows the current object, and writes nothing', async () => {
    const store = await open()
    const first = stored(await store.create('things', thing('a', 1)))
    const second = stored(await store.update('things', thing('a', 2), null))
    expect(await store.create('things', thing('a', 3))).toEqual({ ok: false, why: 'exists', current: second })
    expect(await store.update('things', thing('a', 3), first.revision)).toEqual({ ok: false, why: 'conflict', current: second })
    expect(await store.delete('things', 'default', 'a', first.revision)).toEqual({ ok: false, why: 'conflict', current: second })
    expect(await store.update('things', thing('b', 1), null)).toEqual({ ok: false, why: 'not-found', current: null })
    expect(await store.delete('things', 'default', 'b', null)).toEqual({ ok: false, why: 'not-found', current: null })
    expect(await store.get('things', 'default', 'a')).toEqual(second)
    expect(await store.revision()).toBe(second.revision)
    await store.close()
  })

  it('lets exactly one of many concurrent compare-and-set writers win', async () => {
    const store = await open()
    const base = stored(await store.create('things', thing('a', 0)))
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => store.update('things', thing('a', index + 1), base.revision)))
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1)
    expect(answers.filter((answer) => !answer.ok && answer.why === 'conflict')).toHaveLength(19)
    await store.close()
  })

  it('counts without loss when writers retry on conflict', async () => {
    const store = await open()
    await store.create('things', thing('a', 0))
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let done = 0; done < 10;) {
          const current = await store.get('things', 'default', 'a')
          const value = Number(decoded(current)['value'])
          const answer = await store.update('things', thing('a', value + 1), current?.revision ?? 0)
          if (answer.ok) done += 1
        }
      }),
    )
    expect(decoded(await store.get('things', 'default', 'a'))).toMatchObject({ value: 80 })
    await store.close()
  })

  it('gives every write a revision of its own, rising across resources and deletions', async () => {
    const store = await open()
    const seen: number[] = [await store.revision()]
    for (let index = 0; index < 5; index++) {
      seen.push(stored(await store.create(`kind${index}`, thing('a', index))).revision)
      seen.push(stored(await store.delete(`kind${index}`, 'default', 'a', null)).revision)
    }
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
    expect(await store.revision()).toBe(seen.at(-1))
    await store.close()
  })

  it('refuses what cannot be encoded without hurting the writes beside it', async () => {
    const store = await open()
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const [bad, good] = await Promise.allSettled([store.create('things', { ...thing('bad', 1), cycle }), store.create('things', thing('good', 1))])
    expect(bad.status).toBe('rejected')
    expect(good).toMatchObject({ status: 'fulfilled', value: { ok: true } })
    await expect(store.create('things', { apiVersion: 'v1', kind: 'Thing', metadata: {} })).rejects.toThrow(/metadata\.name/)
    await store.close()
  })
}

function factsAndClosing(open: Open): void {
  it('facts change only from the value that was read', async () => {
    const store = await open()
    expect(await store.getFact('epoch')).toBeNull()
    expect(await store.setFact('epoch', '1', '0')).toBe(false)
    expect(await store.setFact('epoch', '1', null)).toBe(true)
    expect(await store.setFact('epoch', '2', null)).toBe(false)
    expect(await store.setFact('epoch', '2', '1')).toBe(true)
    expect(await store.getFact('epoch')).toBe('2')
    const race = await Promise.all(Array.from({ length: 10 }, (_, index) => store.setFact('epoch', `3-${index}`, '2')))
    expect(race.filter(Boolean)).toHaveLength(1)
    await store.close()
  })

  it('after close every call rejects, and closing twice is fine', async () => {
    const store = await open()
    const pending = store.create('things', thing('a', 1))
    await store.close()
    await store.close()
    expect((await pending).ok).toBe(true)
    await expect(store.get('things', 'default', 'a')).rejects.toThrow(/closed/)
    await expect(store.create('things', thing('b', 1))).rejects.toThrow(/closed/)
  })
}
