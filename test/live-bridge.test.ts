/** Between a client and a device: channels are copied, ends are told, rubbish is dropped, nobody waits for ever. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bridgeCommand } from '../cloud/sessions/bridge-command.ts'
import { bridgePorts } from '../cloud/sessions/bridge-ports.ts'
import { spdyClient, webSocketClient } from '../cloud/sessions/command-clients.ts'
import { SpdyConnection } from '../cloud/sessions/spdy-connection.ts'
import { CHANNEL, exitStatus, frame, readStreamFrame, streamFrame } from '../protocol/session.ts'
import { LIMITS } from '../protocol/limits.ts'
import { messagePair } from './fakes/message-pair.ts'
import { SpdyTestClient } from './fakes/spdy-client.ts'

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))
const none = (): void => undefined

async function all(source: AsyncIterable<Uint8Array>): Promise<readonly (readonly [number, string])[]> {
  const seen: (readonly [number, string])[] = []
  for await (const message of source) seen.push([message[0] ?? -1, Buffer.from(message.subarray(1)).toString()])
  return seen
}

describe('exec over WebSocket', () => {
  it('copies both ways and ends with the Status of the device', async () => {
    const [client, clientHere] = messagePair()
    const [deviceHere, device] = messagePair()
    let bytes = 0
    const bridged = bridgeCommand(webSocketClient(clientHere), deviceHere, (more) => (bytes += more))
    client.write(frame(CHANNEL.stdin, text('ls\n')))
    client.write(frame(CHANNEL.close, Uint8Array.of(CHANNEL.stdin)))
    const input: Uint8Array[] = []
    for await (const message of device as AsyncIterable<Uint8Array>) {
      input.push(message)
      if (input.length === 2) break
    }
    expect(input.map((message) => [...message])).toEqual([
      [0, 108, 115, 10],
      [255, 0],
    ])
    client.destroy()
    await bridged
    expect(bytes).toBe(4)
  })

  it('gives output, error output and exit code', async () => {
    const [client, clientHere] = messagePair()
    const [deviceHere, device] = messagePair()
    const bridged = bridgeCommand(webSocketClient(clientHere), deviceHere, none)
    const status = JSON.stringify(exitStatus(7))
    device.write(frame(CHANNEL.ready))
    device.write(frame(CHANNEL.stdout, text('out')))
    device.write(frame(CHANNEL.stderr, text('err')))
    device.write(frame(CHANNEL.error, text(status)))
    const seen = await all(client)
    client.destroy()
    await bridged
    expect(seen).toEqual([
      [CHANNEL.stdout, 'out'],
      [CHANNEL.stderr, 'err'],
      [CHANNEL.error, status],
    ])
  })

  it('says that the device was lost when it goes without a Status', async () => {
    const [client, clientHere] = messagePair()
    const [deviceHere, device] = messagePair()
    const bridged = bridgeCommand(webSocketClient(clientHere), deviceHere, none)
    device.write(frame(CHANNEL.stdout, text('half')))
    device.end()
    const seen = await all(client)
    client.destroy()
    await bridged
    expect(seen[0]).toEqual([CHANNEL.stdout, 'half'])
    expect(JSON.parse(seen[1]?.[1] ?? '{}')).toMatchObject({ status: 'Failure', message: expect.stringContaining('link.down') as string })
  })

  it('ends the session on the device when the client goes', async () => {
    const [client, clientHere] = messagePair()
    const [deviceHere, device] = messagePair()
    const bridged = bridgeCommand(webSocketClient(clientHere), deviceHere, none)
    client.destroy()
    expect(await all(device)).toEqual([])
    await bridged
    expect(deviceHere.destroyed).toBe(true)
  })

  it('cuts long writes up and drops what a client may not send', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 })), { maxLength: 12 }), async (sent) => {
        const [client, clientHere] = messagePair()
        const [deviceHere, device] = messagePair()
        const bridged = bridgeCommand(webSocketClient(clientHere), deviceHere, none)
        const seen = all(device)
        for (const [channel, kind] of sent) client.write(frame(channel, new Uint8Array(kind * LIMITS.sessionChunkBytes.value)))
        client.end()
        const messages = await seen
        await bridged
        expect(messages.every(([channel, payload]) => [0, 4, 255].includes(channel) && payload.length <= LIMITS.sessionChunkBytes.value)).toBe(true)
        const wanted = sent.filter(([channel]) => channel === 0).reduce((sum, [, kind]) => sum + kind * LIMITS.sessionChunkBytes.value, 0)
        expect(messages.filter(([channel]) => channel === 0).reduce((sum, [, payload]) => sum + payload.length, 0)).toBe(wanted)
      }),
      { numRuns: 60 },
    )
  })
})

describe('exec over SPDY', () => {
  it('waits for the streams of the client, then copies by name', async () => {
    const client = new SpdyTestClient()
    const [deviceHere, device] = messagePair()
    const bridged = bridgeCommand(spdyClient(new SpdyConnection(client.server), new Set(['error', 'stdout', 'stderr', 'stdin'])), deviceHere, none)
    const status = JSON.stringify(exitStatus(0))
    device.write(frame(CHANNEL.stdout, text('early')))
    const error = await client.open({ streamtype: 'error' })
    const stdin = await client.open({ streamtype: 'stdin' })
    const stdout = await client.open({ streamtype: 'stdout' })
    expect(client.received(stdout)).toBe('')
    const stderr = await client.open({ streamtype: 'stderr' })
    client.send(stdin, 'input', true)
    const input: Uint8Array[] = []
    device.on('data', (message: Uint8Array) => input.push(message))
    device.write(frame(CHANNEL.stderr, text('oh')))
    device.write(frame(CHANNEL.error, text(status)))
    await client.ended(error)
    expect([client.received(stdout), client.received(stderr), client.received(error)]).toEqual(['early', 'oh', status])
    // the two directions do not wait for one another
    await client.until(() => input.length === 2)
    client.close()
    await bridged
    expect(input.map((message) => Buffer.from(message).toString('latin1'))).toEqual(['\0input', '\xff\0'])
  })
})

describe('port-forward', () => {
  it('carries connections by number, ends them, and tells a fault on the error stream', async () => {
    const client = new SpdyTestClient()
    const [deviceHere, device] = messagePair()
    const bridged = bridgePorts(new SpdyConnection(client.server), deviceHere, none)
    const seen: Uint8Array[] = []
    device.on('data', (message: Uint8Array) => seen.push(message))
    const error = await client.open({ streamtype: 'error', port: '80', requestid: '0' })
    const data = await client.open({ streamtype: 'data', port: '80', requestid: '0' })
    client.send(data, 'GET')
    await client.until(() => seen.length === 2)
    expect([...(seen[0] ?? [])]).toEqual([CHANNEL.open, 0, 0, 0, data, 0, 80])
    expect(Buffer.from(readStreamFrame(seen[1] ?? new Uint8Array(0))?.payload ?? []).toString()).toBe('GET')
    device.write(streamFrame(CHANNEL.data, data, text('200')))
    device.write(streamFrame(CHANNEL.end, data))
    await client.ended(data)
    expect([client.received(data), client.received(error)]).toEqual(['200', ''])

    const badError = await client.open({ streamtype: 'error', port: '81', requestid: '1' })
    const badData = await client.open({ streamtype: 'data', port: '81', requestid: '1' })
    await client.until(() => seen.at(-1)?.[0] === CHANNEL.open)
    device.write(streamFrame(CHANNEL.fail, badData, text('refused')))
    await client.ended(badData)
    expect(client.received(badError)).toBe('refused')
    client.close()
    await bridged
    expect(deviceHere.destroyed).toBe(true)
  })

  it('lives through rubbish from both sides', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }), async (messages) => {
        const client = new SpdyTestClient()
        const [deviceHere, device] = messagePair()
        const bridged = bridgePorts(new SpdyConnection(client.server), deviceHere, none)
        await client.open({ streamtype: 'data', port: String((messages[0]?.[0] ?? 0) * 1_000), requestid: 'x' })
        for (const message of messages) device.write(message)
        client.raw(Buffer.concat(messages))
        client.close()
        await bridged
        expect(deviceHere.destroyed).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
