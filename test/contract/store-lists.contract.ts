/** Lists and their pages: part of the store contract. */
import { expect, it } from 'vitest'
import { listed, names, thing, token } from './store-tools.ts'
import type { Open } from './store-tools.ts'

export function lists(open: Open): void {
  it('lists by namespace and name, all or one namespace, with the revision of the store', async () => {
    const store = await open()
    for (const [name, namespace] of [
      ['b', 'x'],
      ['a', 'x'],
      ['c', 'a'],
      ['a', 'b'],
    ] as const)
      await store.create('things', thing(name, 1, namespace))
    await store.create('others', thing('z', 1))
    const all = await listed(store, {})
    expect(names(all.items)).toEqual(['a/c', 'b/a', 'x/a', 'x/b'])
    expect(all).toMatchObject({ revision: await store.revision(), continueFrom: null, remaining: 0 })
    expect(names((await listed(store, { namespace: 'x' })).items)).toEqual(['x/a', 'x/b'])
    expect((await listed(store, { namespace: 'none' })).items).toEqual([])
    await store.close()
  })

  it('pages through everything once and says how much remains', async () => {
    const store = await open()
    await Promise.all(Array.from({ length: 10 }, (_, index) => store.create('things', thing(`t${index}`, index))))
    const first = await listed(store, { limit: 4 })
    const second = await listed(store, { limit: 4, continueFrom: token(first) })
    const third = await listed(store, { limit: 4, continueFrom: token(second) })
    expect([first.remaining, second.remaining, third.remaining]).toEqual([6, 2, 0])
    expect(third.continueFrom).toBeNull()
    expect(names([...first.items, ...second.items, ...third.items])).toEqual(names((await listed(store, {})).items))
    expect((await listed(store, { limit: 10 })).continueFrom).toBeNull()
    await store.close()
  })

  it('pages of one list show one revision, whatever is written between them', async () => {
    const store = await open()
    await Promise.all(Array.from({ length: 9 }, (_, index) => store.create('things', thing(`t${index}`, index))))
    const truth = await listed(store, {})
    const first = await listed(store, { limit: 3 })
    await store.delete('things', 'default', 't0', null)
    await store.delete('things', 'default', 't4', null)
    await store.update('things', thing('t5', 500), null)
    await store.update('things', thing('t5', 501), null)
    await store.create('things', thing('t35', 1))
    await store.delete('things', 'default', 't8', null)
    await store.create('things', thing('t8', 800))
    await store.create('others', thing('t5', 1))
    const second = await listed(store, { limit: 3, continueFrom: token(first) })
    await store.create('things', thing('t9', 9))
    await store.delete('things', 'default', 't7', null)
    const third = await listed(store, { limit: 3, continueFrom: token(second) })
    expect([...first.items, ...second.items, ...third.items]).toEqual(truth.items)
    expect([first.revision, second.revision, third.revision]).toEqual([truth.revision, truth.revision, truth.revision])
    expect([first.remaining, second.remaining, third.remaining]).toEqual([6, 3, 0])
    expect(third.continueFrom).toBeNull()
    await store.close()
  })

  it('answers expired when a page is asked for too late, or with a token it did not write', async () => {
    const store = await open({ history: 8 })
    await Promise.all(Array.from({ length: 5 }, (_, index) => store.create('things', thing(`t${index}`, index))))
    const first = await listed(store, { limit: 2 })
    for (let index = 0; index < 30; index++)
      await store.update('others', thing('x', index), null).then(() => store.create('others', thing(`x${index}`, 1)))
    expect(await store.list('things', { limit: 2, continueFrom: token(first) })).toEqual({ ok: false, why: 'expired' })
    for (const bad of ['', 'garbage', Buffer.from('[1]').toString('base64url'), Buffer.from('[1e9,"","",5]').toString('base64url')]) {
      expect(await store.list('things', { limit: 2, continueFrom: bad })).toEqual({ ok: false, why: 'expired' })
    }
    await store.close()
  })
}
