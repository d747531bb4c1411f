import { describe, expect, it } from 'vitest'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Loaded, SavedState } from '../edge-agent/core/saved-model.ts'
import { encode, StorageError } from '../edge-agent/store/durable-file.ts'
import { openStateStore } from '../edge-agent/store/state-store.ts'
import { desiredDigest } from '../protocol/desired-state.ts'
import { FakeDisk } from './fakes/disk.ts'
import type { Torn } from './fakes/disk.ts'

const DIR = '/state'
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

function stateOf(generation: number, epoch = 1): SavedState {
  return {
    desired: { device: 'gw-1', epoch, generation, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest([]), pods: [] },
    floor: { epoch, generation },
    ledger: { 'u/c/h': { failures: generation, restarts: 0, remainingMs: 0, countedExit: null } },
  }
}
const versionOf = (generation: number, epoch = 1): { epoch: number; generation: number } => ({ epoch, generation })
const storeOn = (disk: FakeDisk) => openStateStore(DIR, { disk, log: quiet })
const loadFrom = (disk: FakeDisk): Promise<Loaded> => storeOn(disk).load()

async function diskWith(...generations: readonly number[]): Promise<FakeDisk> {
  const disk = new FakeDisk()
  const store = storeOn(disk)
  for (const generation of generations) await store.save(stateOf(generation), versionOf(generation))
  return disk
}

/** saves `generations` until the power fails; answers the last acknowledged one (0 = none) */
async function saveUntilCut(disk: FakeDisk, generations: readonly number[]): Promise<number> {
  const store = storeOn(disk)
  let acknowledged = 0
  for (const generation of generations) {
    try {
      await store.save(stateOf(generation), versionOf(generation))
      acknowledged = generation
    } catch {
      return acknowledged
    }
  }
  return acknowledged
}

function expectAtLeast(loaded: Loaded, acknowledged: number, where: string): void {
  if (loaded.kind === 'state') {
    const generation = loaded.state.desired?.generation ?? 0
    const whole = loaded.state.ledger['u/c/h']?.failures === generation
    if (generation === acknowledged || generation === acknowledged + 1) expect(whole, where).toBe(true)
    else expect.fail(`${where}: loaded ${generation}, acknowledged ${acknowledged}`)
    expect(loaded.state.floor?.generation ?? 0, where).toBeGreaterThanOrEqual(generation)
  } else expect(acknowledged, `${where}: ${loaded.kind}`).toBe(0)
}

describe('a power cut', () => {
  const cases = [
    { name: 'from an empty disk', before: [], saves: [1, 2, 3] },
    { name: 'with generations before', before: [1, 2], saves: [3, 4, 5] },
  ]
  it.each(cases)('at every disk operation of three saves loses nothing acknowledged, $name', async ({ before, saves }) => {
    const start = before.length === 0 ? new FakeDisk() : await diskWith(...before)
    const measure = new FakeDisk(start.files())
    expect(await saveUntilCut(measure, saves)).toBe(saves.at(-1))
    let recoveries = 0
    for (let cutAfter = 0; cutAfter < measure.operations; cutAfter += 1) {
      const disk = new FakeDisk(start.files())
      disk.cutAfter = cutAfter
      const acknowledged = Math.max(await saveUntilCut(disk, saves), before.at(-1) ?? 0)
      for (let kept = 0; kept < 1 << disk.pendingNames; kept += 1) {
        for (const torn of ['empty', 'half', 'zeros', 'whole'] satisfies Torn[]) {
          const where = `cut after ${cutAfter}, kept ${kept.toString(2)}, ${torn}`
          const found = disk.afterCut(kept, torn)
          const loaded = await loadFrom(found)
          expectAtLeast(loaded, acknowledged, where)
          // and life goes on: the next save is taken and found again, with no temporary file left
          const store = storeOn(found)
          await store.save(stateOf(9), versionOf(9))
          expect(await loadFrom(found), where).toEqual({ kind: 'state', state: stateOf(9), fellBack: false })
          expect(
            [...found.files().keys()].filter((name) => name.endsWith('.tmp')),
            where,
          ).toEqual([])
          recoveries += 1
        }
      }
    }
    expect(recoveries).toBeGreaterThan(600)
  })

  it('during the recovery from a damaged file loses nothing either', async () => {
    const damaged = await diskWith(1, 2, 3)
    damaged.damage(`${DIR}/state.json`, (bytes) => bytes.slice(0, 40))
    const measure = new FakeDisk(damaged.files())
    await saveUntilCut(measure, [4])
    for (let cutAfter = 0; cutAfter < measure.operations; cutAfter += 1) {
      const disk = new FakeDisk(damaged.files())
      disk.cutAfter = cutAfter
      await saveUntilCut(disk, [4])
      for (let kept = 0; kept < 1 << disk.pendingNames; kept += 1) {
        const loaded = await loadFrom(disk.afterCut(kept, 'zeros'))
        expect(loaded.kind === 'state' && [2, 4].includes(loaded.state.desired?.generation ?? 0), `cut after ${cutAfter}, kept ${kept}`).toBe(true)
        if (loaded.kind === 'state') expect(loaded.state.floor?.generation).toBeGreaterThanOrEqual(3)
      }
    }
  })
})

describe('a damaged file', () => {
  const kinds: readonly { readonly name: string; readonly change: (bytes: Uint8Array, random: number) => Uint8Array }[] = [
    { name: 'one bit', change: (bytes, random) => flip(bytes, random % bytes.byteLength, 1 << (random % 8)) },
    { name: 'one byte', change: (bytes, random) => flip(bytes, random % bytes.byteLength, 1 + (random % 255)) },
    { name: 'cut short', change: (bytes, random) => bytes.slice(0, random % bytes.byteLength) },
    { name: 'NULs at the end', change: (bytes, random) => bytes.map((byte, index) => (index >= random % bytes.byteLength ? 0 : byte)) },
    { name: 'bytes added', change: (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + (random % 9), random % 256)]) },
  ]

  it('is never accepted: 2,000 of them, both generations', async () => {
    const whole = (await diskWith(1, 2)).files()
    const counts = { recovered: 0, unknown: 0 }
    let seed = 7
    const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1)
    for (let round = 0; round < 2_000; round += 1) {
      const disk = new FakeDisk(whole)
      const kind = kinds[round % kinds.length]
      if (kind === undefined) throw new Error('no kind')
      const both = round % 3 === 0
      disk.damage(`${DIR}/state.json`, (bytes) => kind.change(bytes, random()))
      if (both) disk.damage(`${DIR}/state.json.prev`, (bytes) => kind.change(bytes, random()))
      const loaded = await loadFrom(disk)
      if (both) {
        expect(loaded, `${kind.name} ${round}`).toMatchObject({ kind: 'unknown', floor: versionOf(2) })
        expect((await loadFrom(disk)).kind, 'and it stays unknown at the next start').toBe('unknown')
        counts.unknown += 1
      } else {
        // the previous state, but the floor stays where it was
        expect(loaded, `${kind.name} ${round}`).toEqual({ kind: 'state', state: { ...stateOf(1), floor: versionOf(2) }, fellBack: true })
        counts.recovered += 1
      }
      expect([...disk.files().keys()].filter((name) => name.endsWith('.corrupt')).length).toBeLessThanOrEqual(2)
    }
    expect(counts).toEqual({ recovered: 1_333, unknown: 667 })
  })

  it('at every single byte of the newest file is noticed', async () => {
    const whole = (await diskWith(1, 2)).files()
    const size = whole.get(`${DIR}/state.json`)?.byteLength ?? 0
    for (let at = 0; at < size; at += 1) {
      const disk = new FakeDisk(whole)
      disk.damage(`${DIR}/state.json`, (bytes) => flip(bytes, at, 0x20))
      expect(await loadFrom(disk), `byte ${at}`).toMatchObject({ kind: 'state', fellBack: true })
    }
  })

  it('does not lower the floor when the floor file is the damaged one', async () => {
    const disk = await diskWith(1, 2)
    disk.damage(`${DIR}/floor.json`, () => new Uint8Array(64))
    disk.damage(`${DIR}/floor.json.prev`, () => new Uint8Array(64))
    expect(await loadFrom(disk)).toEqual({ kind: 'state', state: stateOf(2), fellBack: false })
  })
})

describe('a state of the wrong form', () => {
  const bodies = [
    'null',
    '0',
    'false',
    '""',
    '[]',
    '{}',
    '{"v":1}',
    '{"v":1,"ledger":{}}',
    '{"v":2,"desired":null,"floor":null,"ledger":{}}',
    '{"v":1,"desired":0,"floor":null,"ledger":{}}',
    '{"v":1,"desired":{},"floor":null,"ledger":{}}',
    '{"v":1,"desired":null,"floor":null,"ledger":{"__proto__":{}}}',
    '\u0000',
    '',
  ]
  it.each(bodies)('%j is unknown, not empty', async (body) => {
    const disk = new FakeDisk(new Map([[`${DIR}/state.json`, encode(1, Buffer.from(body))]]))
    expect((await loadFrom(disk)).kind).toBe('unknown')
  })

  it('with nothing decided yet is known and empty', async () => {
    const disk = new FakeDisk(new Map([[`${DIR}/state.json`, encode(1, Buffer.from('{"v":1,"desired":null,"floor":null,"ledger":{}}'))]]))
    expect(await loadFrom(disk)).toEqual({ kind: 'state', state: { desired: null, floor: null, ledger: {} }, fellBack: false })
  })

  it('is not overwritten by a state that could not be read again', async () => {
    const disk = await diskWith(1)
    const bad: SavedState = { ...stateOf(2), ledger: { x: { failures: -1, restarts: 0, remainingMs: 0, countedExit: null } } }
    await expect(storeOn(disk).save(bad, null)).rejects.toThrow(StorageError)
    expect(await loadFrom(disk)).toMatchObject({ kind: 'state', state: stateOf(1) })
  })
})

describe('files that are gone', () => {
  it('are none on a new device and unknown on one that had a state', async () => {
    expect(await loadFrom(new FakeDisk())).toEqual({ kind: 'none' })
    const files = new Map((await diskWith(4)).files())
    files.delete(`${DIR}/state.json`)
    expect(await loadFrom(new FakeDisk(files))).toMatchObject({ kind: 'unknown', floor: versionOf(4) })
  })
})

describe('saves', () => {
  it('that fail leave the last state, and the next one succeeds', async () => {
    for (const code of ['ENOSPC', 'EROFS', 'EIO']) {
      const disk = await diskWith(1)
      const store = storeOn(disk)
      disk.failing = Object.assign(new Error(`${code}: no`), { code })
      await expect(store.save(stateOf(2), versionOf(2))).rejects.toMatchObject({ name: 'StorageError', code })
      expect(await loadFrom(disk)).toMatchObject({ kind: 'state', state: stateOf(1) })
      disk.failing = null
      await store.save(stateOf(3), versionOf(3))
      expect(await loadFrom(disk)).toEqual({ kind: 'state', state: stateOf(3), fellBack: false })
    }
  })

  it('that come together end in the newest, and no promise resolves before its state is durable', async () => {
    const disk = new FakeDisk()
    const store = storeOn(disk)
    const durable = async (): Promise<number> => {
      const loaded = await loadFrom(disk.afterCut(0, 'empty'))
      return loaded.kind === 'state' ? (loaded.state.desired?.generation ?? 0) : 0
    }
    const seen = await Promise.all(
      [1, 2, 3, 4, 5].map(async (generation) => {
        await store.save(stateOf(generation), versionOf(generation))
        return (await durable()) >= generation
      }),
    )
    expect(seen).toEqual([true, true, true, true, true])
    expect(await durable()).toBe(5)
  })

  it('on a real file system make a private directory and private files', async () => {
    const parent = await mkdtemp(path.join(tmpdir(), 'skerry-state-'))
    try {
      const dir = path.join(parent, 'a', 'state')
      const store = openStateStore(dir, { log: quiet })
      expect(await store.load()).toEqual({ kind: 'none' })
      await store.save(stateOf(1), versionOf(1))
      await writeFile(path.join(dir, 'state.json.tmp'), 'left by a crash')
      await store.save(stateOf(2), versionOf(2))
      expect(await openStateStore(dir, { log: quiet }).load()).toEqual({ kind: 'state', state: stateOf(2), fellBack: false })
      const names = (await readdir(dir)).toSorted()
      expect(names).toEqual(['.floor-initialised', '.initialised', 'floor.json', 'floor.json.prev', 'state.json', 'state.json.prev'])
      expect((await stat(dir)).mode & 0o777).toBe(0o700)
      for (const name of names) expect((await stat(path.join(dir, name))).mode & 0o777, name).toBe(0o600)
    } finally {
      await rm(parent, { recursive: true })
    }
  })
})

function flip(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ mask : byte))
}
