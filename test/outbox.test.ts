import { describe, expect, it } from 'vitest'
import { Outbox } from '../edge-agent/link/outbox.ts'
import { failuresAfter, reconnectDelayMs } from '../edge-agent/link/reconnect.ts'
import { LIMITS } from '../protocol/limits.ts'

const text = (value: string): Uint8Array => Buffer.from(value)

/** a broker that answers when told to */
function broker() {
  const wire: string[] = []
  const answers: ((acknowledged: boolean) => void)[] = []
  return {
    wire,
    answer: (acknowledged: boolean) => answers.shift()?.(acknowledged),
    send: (channel: string, bytes: Uint8Array, done: (acknowledged: boolean) => void) => {
      wire.push(`${channel} ${Buffer.from(bytes).toString()}`)
      answers.push(done)
    },
  }
}

describe('the outbox', () => {
  it('keeps only the last value while there is no connection', () => {
    const outbox = new Outbox()
    for (let i = 0; i < 10_000; i += 1) outbox.put('status', text(`s${i}`))
    outbox.put('inventory', text('i'))
    const link = broker()
    outbox.connected(link.send)
    expect(link.wire).toEqual(['status s9999', 'inventory i'])
  })

  it('has one value of a channel in flight and sends the newest next', () => {
    const outbox = new Outbox()
    const link = broker()
    outbox.connected(link.send)
    for (const value of ['a', 'b', 'c']) outbox.put('status', text(value))
    expect(link.wire).toEqual(['status a'])
    link.answer(true)
    expect(link.wire).toEqual(['status a', 'status c'])
    link.answer(true)
    expect(link.wire).toEqual(['status a', 'status c'])
  })

  it('does not let one channel wait for another', () => {
    const outbox = new Outbox()
    const link = broker()
    outbox.connected(link.send)
    outbox.put('status', text('s'))
    outbox.put('inventory', text('i'))
    expect(link.wire).toEqual(['status s', 'inventory i'])
  })

  it('sends what was not acknowledged on the next connection', () => {
    const outbox = new Outbox()
    const first = broker()
    outbox.connected(first.send)
    outbox.put('status', text('a'))
    first.answer(false)
    outbox.disconnected()
    const second = broker()
    outbox.connected(second.send)
    expect(second.wire).toEqual(['status a'])
  })

  it('takes no acknowledgement from a connection that is gone', () => {
    const outbox = new Outbox()
    const first = broker()
    outbox.connected(first.send)
    outbox.put('status', text('a'))
    outbox.disconnected()
    outbox.put('status', text('b'))
    const second = broker()
    outbox.connected(second.send)
    first.answer(true)
    outbox.put('status', text('c'))
    expect(second.wire).toEqual(['status b'])
    second.answer(true)
    expect(second.wire).toEqual(['status b', 'status c'])
  })

  it('sends the last values again after each connection, also those that were acknowledged', () => {
    const outbox = new Outbox()
    const first = broker()
    outbox.connected(first.send)
    outbox.put('status', text('a'))
    first.answer(true)
    outbox.disconnected()
    const second = broker()
    outbox.connected(second.send)
    expect(second.wire).toEqual(['status a'])
  })
})

describe('reconnecting', () => {
  it("waits below a ceiling that doubles up to the table's longest", () => {
    const ceilings = [1, 2, 3, 9, 10, 40].map((failures) => reconnectDelayMs(failures, 0.999_999_9))
    expect(ceilings).toEqual([999, 1_999, 3_999, 255_999, 299_999, 299_999])
    expect(reconnectDelayMs(5, 0)).toBe(0)
  })

  it('starts over only after a connection that held', () => {
    expect(failuresAfter(7, LIMITS.reconnectStableMs.value)).toBe(1)
    expect(failuresAfter(7, LIMITS.reconnectHeldMs.value - 1)).toBe(8)
    expect(failuresAfter(7, LIMITS.reconnectHeldMs.value)).toBe(4)
    expect(failuresAfter(0, 0)).toBe(1)
  })
})
