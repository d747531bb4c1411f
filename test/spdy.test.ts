/** The server's half of SPDY/3.1: what kubectl sends is understood, what nobody should send ends the connection and nothing else. */
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataFrame, pingFrame, resetFrame, SpdyReader } from '../cloud/sessions/spdy-frames.ts'
import type { SpdyFrame } from '../cloud/sessions/spdy-frames.ts'
import { SpdyConnection } from '../cloud/sessions/spdy-connection.ts'
import type { SpdyEvent } from '../cloud/sessions/spdy-connection.ts'
import { HeaderCodec, SPDY_DICTIONARY } from '../cloud/sessions/spdy-headers.ts'
import { LIMITS } from '../protocol/limits.ts'

/** SYN_STREAM as a client writes it */
function openFrame(stream: number, packed: Uint8Array, end = false): Buffer {
  const head = Buffer.from([0x80, 3, 0, 1, end ? 1 : 0, 0, 0, 0])
  head.writeUIntBE(packed.length + 10, 5, 3)
  const ids = Buffer.alloc(10)
  ids.writeUInt32BE(stream, 0)
  return Buffer.concat([head, ids, packed])
}

async function take(connection: SpdyConnection): Promise<readonly SpdyEvent[]> {
  const events: SpdyEvent[] = []
  for await (const event of connection.events()) events.push(event)
  return events
}

async function served(feed: (client: Duplex) => Promise<void>): Promise<{ readonly events: readonly SpdyEvent[]; readonly answer: Buffer }> {
  const [client, server] = duplexPair()
  const answer: Buffer[] = []
  client.on('data', (chunk: Buffer) => answer.push(chunk))
  const events = take(new SpdyConnection(server))
  await feed(client)
  client.end()
  const seen = await events
  // what was written is still under way
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return { events: seen, answer: Buffer.concat(answer) }
}

function summary(frame: SpdyFrame): unknown {
  return frame.kind === 'data'
    ? [frame.kind, frame.stream, frame.bytes.toString(), frame.end]
    : frame.kind === 'ping'
      ? ['ping', frame.id]
      : [frame.kind]
}

describe('SPDY/3.1', () => {
  it('has the dictionary of the draft', () => {
    let a = 1
    let b = 0
    for (const byte of SPDY_DICTIONARY) {
      a = (a + byte) % 65_521
      b = (b + a) % 65_521
    }
    // the checksum that every zlib stream of SPDY/3 begins with
    expect([SPDY_DICTIONARY.length, b * 65_536 + a]).toEqual([1_423, 0xe3c6a7c2])
  })

  it('reads the same frames however the bytes are cut up', () => {
    const bytes = Buffer.concat([dataFrame(1, Buffer.from('hello'), false), pingFrame(7), dataFrame(3, Buffer.alloc(0), true), resetFrame(5)])
    const whole = new SpdyReader().push(bytes).map(summary)
    expect(whole).toEqual([['data', 1, 'hello', false], ['ping', 7], ['data', 3, '', true], ['reset']])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }), (sizes) => {
        const reader = new SpdyReader()
        const frames: SpdyFrame[] = []
        let at = 0
        for (const size of [...sizes, bytes.length]) {
          frames.push(...reader.push(bytes.subarray(at, at + size)))
          at += size
        }
        expect(frames.map(summary)).toEqual(whole)
      }),
    )
  })

  it('gives streams with their headers, answers them, and answers pings', async () => {
    const client = new HeaderCodec()
    const { events, answer } = await served(async (socket) => {
      socket.write(
        openFrame(
          1,
          await client.pack(
            new Map([
              ['streamtype', 'error'],
              ['port', '80'],
            ]),
          ),
          true,
        ),
      )
      socket.write(
        openFrame(
          3,
          await client.pack(
            new Map([
              ['streamtype', 'data'],
              ['port', '80'],
            ]),
          ),
        ),
      )
      socket.write(pingFrame(9))
      socket.write(dataFrame(3, Buffer.from('GET /'), true))
    })
    expect(
      events.map((event) => (event.kind === 'open' ? [event.kind, event.stream, Object.fromEntries(event.headers)] : [event.kind, event.stream])),
    ).toEqual([
      ['open', 1, { streamtype: 'error', port: '80' }],
      ['end', 1],
      ['open', 3, { streamtype: 'data', port: '80' }],
      ['data', 3],
      ['end', 3],
    ])
    // SYN_REPLY for each stream, then the ping as it came
    expect([...new SpdyReader().push(answer)].map((frame) => frame.kind)).toEqual(['other', 'other', 'ping'])
    expect(answer.subarray(-12)).toEqual(pingFrame(9))
  })

  it('ends a connection whose frame is too large, before it is collected', async () => {
    const head = Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])
    expect(new SpdyReader().push(head).map((frame) => frame.kind)).toEqual(['broken'])
    const { events } = await served(async (socket) => void socket.write(head))
    expect(events).toEqual([])
  })

  it('ends a connection whose headers unpack to more than anybody sends', async () => {
    const client = new HeaderCodec()
    const bomb = await client.pack(new Map([['x', 'a'.repeat(LIMITS.spdyHeaderBytes.value * 64)]]))
    const small = new HeaderCodec()
    expect(await small.unpack(bomb.length === 0 ? Buffer.from('x') : bomb)).toBeNull()
  })

  it('lives through any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), fc.boolean(), async (chunks, likeControl) => {
        const { events } = await served(async (socket) => {
          for (const chunk of chunks) {
            const head = Buffer.from([0x80, 3, 0, (chunk[0] ?? 0) % 10, 0, 0, 0, chunk.length])
            socket.write(likeControl ? Buffer.concat([head, chunk]) : chunk)
          }
        })
        expect(events.every((event) => event.kind !== 'open' || event.headers.size <= 64)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
