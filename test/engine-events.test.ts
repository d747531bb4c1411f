/** How often the event stream of an engine wakes the loop: at once after a quiet moment, seldom while there is no end of events. */
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { followEvents } from '../edge-agent/engine/engine-events.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function follow(): {
  readonly changed: (string | null)[]
  readonly wakes: number[]
  readonly event: (id: string) => Promise<void>
  readonly stop: () => void
} {
  const stream = new PassThrough()
  const changed: (string | null)[] = []
  const wakes: number[] = []
  const stop = followEvents(() => Promise.resolve(stream), {
    onConnected: () => undefined,
    onChanged: (id) => void changed.push(id),
    onWake: () => void wakes.push(performance.now()),
  })
  const event = async (id: string): Promise<void> => {
    stream.write(`${JSON.stringify({ Actor: { ID: id } })}\n`)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { changed, wakes, event, stop }
}

it('a crash after a quiet moment is looked at within a hundredth of a second', async () => {
  const { wakes, event, stop } = follow()
  await vi.advanceTimersByTimeAsync(1_000)
  const before = wakes.length
  await event('a')
  await vi.advanceTimersByTimeAsync(10)
  expect(wakes.length).toBe(before + 1)
  stop()
})

it('events without end are told one by one, and looked at ten times a second', async () => {
  const { changed, wakes, event, stop } = follow()
  await vi.advanceTimersByTimeAsync(1_000)
  const before = wakes.length
  for (let index = 0; index < 200; index += 1) {
    await event(`${index}`)
    await vi.advanceTimersByTimeAsync(5)
  }
  expect(changed.filter((id) => id !== null)).toHaveLength(200)
  expect(wakes.length - before).toBeLessThanOrEqual(12)
  expect(wakes.length - before).toBeGreaterThanOrEqual(8)
  // the last of them is looked at as well
  const last = performance.now()
  await vi.advanceTimersByTimeAsync(200)
  expect(wakes.at(-1) ?? 0).toBeGreaterThan(last - 100)
  stop()
})
