/** Watches: part of the store contract. */
import { expect, it } from 'vitest'
import type { StoredObject } from '../../cloud/ports.ts'
import { decoded, listed, names, record, settled, stored, thing } from './store-tools.ts'
import type { Open, Recorded } from './store-tools.ts'

export function watches(open: Open): void {
  it('shows each change after its revision once, in order, with the state before', async () => {
    const store = await open()
    const created = stored(await store.create('things', thing('a', 1)))
    const seen = record(store, 'things', created.revision)
    const updated = stored(await store.update('things', thing('a', 2), null))
    await store.create('others', thing('o', 1))
    const deleted = stored(await store.delete('things', 'default', 'a', null))
    await settled()
    expect(seen.changes).toEqual([
      { type: 'MODIFIED', object: updated, previous: created },
      { type: 'DELETED', object: deleted, previous: updated },
    ])
    expect(decoded(seen.changes[1]?.object ?? null)).toMatchObject({ value: 2, metadata: { resourceVersion: String(deleted.revision) } })
    seen.stop()
    await store.create('things', thing('late', 1))
    await settled()
    expect(seen.changes).toHaveLength(2)
    await store.close()
  })

  it('replays from an old revision, and null means from now on, for one kind or all', async () => {
    const store = await open()
    const start = await store.revision()
    await store.create('things', thing('a', 1))
    await store.create('others', thing('b', 1))
    const [old, every, now] = [record(store, 'things', start), record(store, null, start), record(store, null, null)]
    await store.create('things', thing('c', 1))
    await settled()
    expect(names(old.changes.map((change) => change.object))).toEqual(['default/a', 'default/c'])
    expect(names(every.changes.map((change) => change.object))).toEqual(['default/a', 'default/b', 'default/c'])
    expect(names(now.changes.map((change) => change.object))).toEqual(['default/c'])
    await store.close()
  })

  it('list then watch misses nothing and repeats nothing while others write', async () => {
    const store = await open()
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let round = 0; round < 40; round++) {
        const name = `w${writer}-${round % 7}`
        if ((await store.create('things', thing(name, round))).ok) continue
        if (round % 3 === 0) await store.delete('things', 'default', name, null)
        else await store.update('things', thing(name, round), null)
      }
    })
    const mirrors: { readonly state: Map<string, StoredObject>; readonly seen: Recorded; readonly from: number }[] = []
    for (let index = 0; index < 10; index++) {
      const page = await listed(store, {})
      await settled()
      mirrors.push({ state: new Map(page.items.map((item) => [item.name, item])), seen: record(store, 'things', page.revision), from: page.revision })
    }
    await Promise.all(writers)
    await settled()
    const truth = (await listed(store, {})).items
    for (const { state, seen, from } of mirrors) {
      const revisions = seen.changes.map((change) => change.object.revision)
      expect(revisions).toEqual(Array.from({ length: revisions.length }, (_, index) => from + 1 + index))
      for (const { type, object, previous } of seen.changes) {
        expect(state.get(object.name) ?? null).toEqual(previous)
        if (type === 'DELETED') state.delete(object.name)
        else state.set(object.name, object)
      }
      expect([...state.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(truth)
    }
    await store.close()
  })

  it('expires a watcher whose revision is gone or not yet there, once, and then is silent', async () => {
    const store = await open({ history: 8 })
    const start = await store.revision()
    for (let index = 0; index < 30; index++) await store.create('things', thing(`t${index}`, index))
    const [gone, future] = [record(store, 'things', start), record(store, 'things', start + 1000)]
    await settled()
    await store.create('things', thing('late', 1))
    await settled()
    expect(gone).toMatchObject({ changes: [], expired: 1 })
    expect(future).toMatchObject({ changes: [], expired: 1 })
    await store.close()
  })

  it('a handler may write, watch and stop from where it is; a throwing one hurts nobody else', async () => {
    const store = await open()
    const order: string[] = []
    const echo = store.watch('things', null, {
      onChange: ({ object }) => {
        order.push(object.name)
        if (object.name === 'a') void store.create('things', thing('echo', 1))
        else echo()
      },
      onExpired: () => undefined,
    })
    const other = record(store, 'things', null)
    await store.create('things', thing('a', 1))
    await settled()
    await settled()
    await store.create('things', thing('z', 1))
    await settled()
    expect(order).toEqual(['a', 'echo'])
    expect(names(other.changes.map((change) => change.object))).toEqual(['default/a', 'default/echo', 'default/z'])
    await store.close()
  })
}
