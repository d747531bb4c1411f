import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { SegmentLog } from '../edge-agent/store/segment-log.ts'
import { FakeDisk, PowerCut } from './fakes/disk.ts'
import type { Torn } from './fakes/disk.ts'

const DIR = '/q'
const text = (index: number): string => `event ${index} ${'·'.repeat(index % 7)}`
const bytes = (value: string): Uint8Array => Buffer.from(value, 'utf8')

async function opened(disk: FakeDisk, maxBytes = 100_000, segmentBytes = 400): Promise<SegmentLog> {
  const log = new SegmentLog({ disk, dir: DIR, maxBytes, segmentBytes })
  await log.open()
  return log
}

async function all(log: SegmentLog): Promise<readonly (readonly [number, string])[]> {
  return (await log.read(0, 1_000_000)).map((record) => [record.seq, Buffer.from(record.payload).toString('utf8')] as const)
}

async function filled(count: number): Promise<FakeDisk> {
  const disk = new FakeDisk()
  const log = await opened(disk)
  for (let index = 1; index <= count; index += 1) await log.append([bytes(text(index))])
  return disk
}

/** what is there is right, in order, and nothing twice */
function isTrue(records: readonly (readonly [number, string])[]): boolean {
  return records.every(([seq, value], index) => value === text(seq) && seq > (records[index - 1]?.[0] ?? 0))
}

const copyOf = (disk: FakeDisk): FakeDisk => new FakeDisk(new Map([...disk.files()].map(([name, content]) => [name, Uint8Array.from(content)])))

describe('damage', () => {
  it('a file cut at any byte gives no wrong record and loses no whole one', async () => {
    const disk = await filled(30)
    for (const [name, content] of disk.files()) {
      const before = await all(await opened(copyOf(disk)))
      const first = Number(/(\d{16})\.seg$/.exec(name)?.[1])
      for (let length = 0; length < content.byteLength; length += 1) {
        const cut = copyOf(disk)
        cut.damage(name, (all_) => all_.slice(0, length))
        const found = await all(await opened(cut))
        expect(isTrue(found)).toBe(true)
        // each record that is whole within the cut is there, and everything in other files
        let at = 0
        const whole = before.filter(([seq, value]) => {
          if (seq < first || at < 0) return true
          at += 24 + Buffer.byteLength(value)
          return at > content.byteLength || at <= length
        })
        expect(found.length).toBeGreaterThanOrEqual(whole.length - before.filter(([seq]) => seq >= first).length)
      }
    }
  })

  it('one flipped bit anywhere gives no wrong record', async () => {
    const disk = await filled(30)
    let lost = 0
    for (const [name, content] of disk.files())
      for (let index = 0; index < content.byteLength; index += 1) {
        const flipped = copyOf(disk)
        flipped.damage(name, (old) => Uint8Array.from(old, (byte, place) => (place === index ? byte ^ (1 << (index % 8)) : byte)))
        const log = await opened(flipped)
        const found = await all(log)
        expect(isTrue(found), `${path.basename(name)} byte ${index}`).toBe(true)
        lost += 30 - found.length
        // and it goes on with numbers that were never used
        expect(await log.append([bytes('after')])).toBeGreaterThan(30)
      }
    expect(lost).toBeGreaterThan(0)
  })
})

describe('a power cut', () => {
  it('between any two operations loses nothing that was acknowledged, whatever the medium did with the rest', async () => {
    for (const torn of ['empty', 'half', 'zeros', 'whole'] as const satisfies readonly Torn[])
      for (let cutAfter = 0; cutAfter < 90; cutAfter += 1) {
        const disk = new FakeDisk()
        const log = await opened(disk)
        disk.cutAfter = cutAfter
        let acknowledged = 0
        try {
          for (let index = 1; index <= 40; index += 1) acknowledged = await log.append([bytes(text(index))])
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error
        }
        for (const kept of [0, 1, 0xffff]) {
          const after = await opened(disk.afterCut(kept, torn))
          const found = await all(after)
          expect(isTrue(found)).toBe(true)
          expect(found.map(([seq]) => seq).slice(0, acknowledged), `${torn} ${cutAfter}`).toEqual(
            Array.from({ length: acknowledged }, (_, index) => index + 1),
          )
          const next = await after.append([bytes('goes on')])
          expect(next).toBeGreaterThan(acknowledged)
          expect((await all(after)).at(-1)).toEqual([next, 'goes on'])
        }
      }
  })
})

describe('the cap', () => {
  it('5,000 events go into a box of 100 kB: the newest stay, the rest are counted', async () => {
    const disk = new FakeDisk()
    const log = await opened(disk, 100_000, 16_384)
    for (let index = 1; index <= 5_000; index += 1) await log.append([bytes(`${text(index)} ${'x'.repeat(150)}`)])
    const size = [...disk.files().values()].reduce((sum, content) => sum + content.byteLength, 0)
    const { waiting, dropped, bytes: told } = log.stats()
    expect(size).toBeLessThanOrEqual(100_000)
    expect(told).toBe(size)
    expect(waiting + dropped).toBe(5_000)
    const found = await all(log)
    expect(found.map(([seq]) => seq)).toEqual(Array.from({ length: waiting }, (_, index) => 5_000 - waiting + 1 + index))
    expect(waiting).toBeGreaterThan(350)
  })

  it('is kept by a queue that was opened again', async () => {
    const disk = await filled(100)
    const log = await opened(disk, 1_000)
    await log.append([bytes('one more')])
    expect(log.stats().bytes).toBeLessThanOrEqual(1_000)
    expect((await all(log)).at(-1)).toEqual([101, 'one more'])
  })

  it('refuses a record that no message could carry', async () => {
    const log = await opened(new FakeDisk())
    await expect(log.append([new Uint8Array(5_000)])).rejects.toThrow('too long')
  })
})

describe('acknowledgement', () => {
  it('lets whole segments go, and numbers go on after everything was sent', async () => {
    const disk = await filled(60)
    const log = await opened(disk)
    await log.ack(59)
    expect(disk.files().size).toBeLessThan(3)
    expect(await all(log)).toEqual([[60, text(60)]])
    await log.ack(60)
    expect(log.stats().waiting).toBe(0)
    await log.append([bytes(text(61))])
    const again = await opened(copyOf(disk))
    expect(again.stats().stream).toBe(log.stats().stream)
    expect(await all(again)).toEqual([[61, text(61)]])
  })

  it('a disk that fails keeps what was there, and the next append goes into a new file', async () => {
    const disk = await filled(3)
    const log = await opened(disk)
    disk.failing = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    await expect(log.append([bytes(text(4))])).rejects.toThrow('ENOSPC')
    disk.failing = null
    expect(await log.append([bytes(text(4))])).toBe(4)
    expect(await all(log)).toEqual([1, 2, 3, 4].map((seq) => [seq, text(seq)]))
  })
})
