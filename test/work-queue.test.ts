import { describe, expect, test } from 'vitest'
import { createInformer } from '../cloud/controllers/informer.ts'
import { createWorkQueue } from '../cloud/controllers/work-queue.ts'
import type { ConfigMap } from '../cloud/resources/config-map.ts'
import { openMemoryStore } from '../cloud/store/memory-store.ts'
import { seededRandom } from './fakes/fleet.ts'
import { settle, virtualClock } from './fakes/virtual-clock.ts'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

function rig(work: (key: string) => Promise<number | null>, workers = 2) {
  const clock = virtualClock()
  return { clock, queue: createWorkQueue({ name: 'test', clock, random: seededRandom(), log: quiet, workers, work }) }
}

describe('a work queue', () => {
  test('works once on a key that was added many times, and once more when it was added meanwhile', async () => {
    const runs: string[] = []
    let release = (): void => undefined
    const { queue } = rig(async (key) => {
      runs.push(key)
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return null
    })
    for (let round = 0; round < 5; round += 1) queue.add('a')
    await settle()
    expect(runs).toEqual(['a'])
    queue.add('a')
    queue.add('a')
    await settle()
    expect(runs).toEqual(['a'])
    release()
    await settle()
    expect(runs).toEqual(['a', 'a'])
    release()
    await settle()
    expect(queue.isIdle()).toBe(true)
  })

  test('rests after a long pass when it is told to, however often the key is added meanwhile', async () => {
    const clock = virtualClock()
    const runs: number[] = []
    const work = async (): Promise<null> => {
      runs.push(clock.monoMs())
      await new Promise<void>((resolve) => {
        clock.after(400, resolve)
      })
      return null
    }
    const queue = createWorkQueue({ name: 'test', clock, random: seededRandom(), log: quiet, rests: true, work })
    for (let ms = 0; ms < 7_000; ms += 10) {
      queue.add('a')
      await clock.advance(10)
    }
    const pauses = runs.slice(1).map((at, index) => at - (runs[index] ?? 0))
    expect(pauses.length).toBeGreaterThan(3)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_400)
  })

  test('gives others their turn while it works on many keys that wait for nothing', async () => {
    let ms = 0
    const turns: (() => void)[] = []
    const clock = { nowMs: () => 0, monoMs: () => (ms += 1), after: (_ms: number, run: () => void) => (turns.push(run), () => undefined) }
    const runs: string[] = []
    const work = (key: string): Promise<null> => {
      runs.push(key)
      return Promise.resolve(null)
    }
    const queue = createWorkQueue({ name: 'test', clock, random: seededRandom(), log: quiet, work })
    for (let index = 0; index < 100; index += 1) queue.add(`k${index}`)
    const perTurn: number[] = []
    while (runs.length < 100) {
      const before = runs.length
      for (const turn of turns.splice(0)) turn()
      await settle()
      perTurn.push(runs.length - before)
    }
    expect(perTurn.length).toBeGreaterThan(3)
    expect(Math.max(...perTurn)).toBeLessThan(30)
    expect(queue.isIdle()).toBe(true)
  })

  test('never has two workers on one key, nor more workers than allowed', async () => {
    const now = new Map<string, number>()
    let most = 0
    const { queue } = rig(async (key) => {
      now.set(key, (now.get(key) ?? 0) + 1)
      expect(now.get(key)).toBe(1)
      most = Math.max(
        most,
        [...now.values()].reduce((sum, one) => sum + one, 0),
      )
      await settle()
      now.set(key, 0)
      return null
    }, 3)
    for (let round = 0; round < 30; round += 1) queue.add(`key-${round % 7}`)
    for (let round = 0; round < 40; round += 1) await settle()
    expect(queue.isIdle()).toBe(true)
    expect(most).toBe(3)
  })

  test('comes back to a failed key with growing, capped, jittered delays, and forgets failures on success', async () => {
    const times: number[] = []
    let failing = true
    const { clock, queue } = rig(async () => {
      times.push(clock.monoMs())
      if (failing) throw new Error('no')
      return null
    })
    queue.add('a')
    await clock.advance(600_000)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(gaps.slice(0, 4).every((gap, index) => gap >= 50 * 2 ** index && gap <= 100 * 2 ** index)).toBe(true)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60_000)
    expect(gaps.length).toBeLessThan(30)
    failing = false
    await clock.advance(60_000)
    const done = times.length
    await clock.advance(600_000)
    expect([times.length, clock.pendingTimers()]).toEqual([done, 0])
  })

  test('runs a delayed key at the earlier of two times, and nothing after stop', async () => {
    const times: number[] = []
    const { clock, queue } = rig(async () => {
      times.push(clock.monoMs())
      return null
    })
    queue.addAfter('a', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 900)
    await clock.advance(1000)
    expect(times).toEqual([100])
    queue.addAfter('a', 10)
    await queue.stop()
    await clock.advance(1000)
    expect([times, clock.pendingTimers()]).toEqual([[100], 0])
  })
})

describe('an informer', () => {
  const map = (name: string, value: string): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', uid: name },
    data: { value },
  })

  test('lists again when its watch fell behind, and tells the difference as changes', async () => {
    const store = openMemoryStore({ history: 4 })
    let expire = (): void => undefined
    const held = {
      ...store,
      list: store.list.bind(store),
      watch: (...args: Parameters<typeof store.watch>) => {
        expire = args[2].onExpired
        // this watch delivers nothing: everything is missed
        return () => undefined
      },
    }
    const informer = createInformer<ConfigMap>({
      store: held,
      resource: 'configmaps',
      log: quiet,
      clock: virtualClock(),
      indexes: { value: (one) => [one.data?.['value'] ?? ''] },
    })
    await store.create('configmaps', map('a', '1'))
    await store.create('configmaps', map('b', '1'))
    const told: string[] = []
    informer.onChange((next, previous) => told.push(`${previous?.metadata.name ?? '-'}>${next?.metadata.name ?? '-'}`))
    await informer.start()
    await store.update('configmaps', map('a', '2'), null)
    await store.delete('configmaps', 'default', 'b', null)
    await store.create('configmaps', map('c', '2'))
    expire()
    await settle()
    expect(told).toEqual(['->a', '->b', 'a>a', '->c', 'b>-'])
    expect(informer.by('value', '2').map((one) => one.metadata.name)).toEqual(['a', 'c'])
    expect(informer.by('value', '1')).toEqual([])
  })

  test('tries again when listing again failed', async () => {
    const store = openMemoryStore()
    const clock = virtualClock()
    let expire = (): void => undefined
    let failures = 0
    const flaky = {
      ...store,
      list: (resource: string, options?: Parameters<typeof store.list>[1]) => {
        failures -= 1
        return failures >= 0 ? Promise.reject(new Error('disk I/O error')) : store.list(resource, options)
      },
      watch: (...args: Parameters<typeof store.watch>) => {
        expire = args[2].onExpired
        return () => undefined
      },
    }
    const informer = createInformer<ConfigMap>({ store: flaky, resource: 'configmaps', log: quiet, clock })
    await informer.start()
    await store.create('configmaps', map('a', '1'))
    failures = 2
    expire()
    await settle()
    expect(informer.values()).toEqual([])
    await clock.advance(60_000)
    expect(informer.get('default/a')?.data).toEqual({ value: '1' })
    expect(clock.pendingTimers()).toBe(0)
  })

  test('never goes back: late news of the watch do not undo what was absorbed', async () => {
    const store = openMemoryStore()
    const informer = createInformer<ConfigMap>({ store, resource: 'configmaps', log: quiet, clock: virtualClock() })
    await informer.start()
    const made = await store.create('configmaps', map('a', '1'))
    const gone = await store.delete('configmaps', 'default', 'a', null)
    if (!made.ok || !gone.ok) throw new Error('the store refused')
    informer.absorbDeletion(gone.object)
    informer.absorb(made.object)
    await settle()
    expect(informer.values()).toEqual([])
    await store.create('configmaps', map('a', '2'))
    await settle()
    expect(informer.get('default/a')?.data).toEqual({ value: '2' })
  })
})
