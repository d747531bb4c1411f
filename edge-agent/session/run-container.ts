/** One exec, attach or log session: a container's stream and the socket, copied both ways until one of them ends. */
import type { Duplex } from 'node:stream'
import { CHANNEL, exitStatus, frame } from '../../protocol/session.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { LiveStream } from '../ports.ts'
import type { Meter } from './meter.ts'
import { send } from './send.ts'

/** Resolves with the Status to end with: the program's exit code, or success for streams that have none. */
export async function runContainer(
  socket: Duplex,
  stream: LiveStream,
  meter: Meter,
  mergeOutput: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const input = copyInput(socket, stream, meter)
  for await (const chunk of stream.output) {
    if (socket.destroyed) break
    const bytes = chunk.bytes.subarray(0, meter.left())
    meter.add(bytes.length)
    await send(socket, frame(chunk.stream === 2 && !mergeOutput ? CHANNEL.stderr : CHANNEL.stdout, bytes))
    if (meter.left() === 0) break
  }
  const code = socket.destroyed ? null : await stream.exitCode().catch(() => null)
  stream.close()
  void input
  return exitStatus(code)
}

/** Ends when the socket does; then the stream is closed, so that the program sees the end of its input. Never rejects. */
async function copyInput(socket: Duplex, stream: LiveStream, meter: Meter): Promise<void> {
  try {
    for await (const message of socket as AsyncIterable<Uint8Array>) {
      const payload = message.subarray(1)
      meter.add(payload.length)
      switch (message[0] ?? CHANNEL.error) {
        case CHANNEL.stdin:
          await stream.write(payload)
          break
        case CHANNEL.resize:
          await resize(stream, payload)
          break
        case CHANNEL.close:
          if (payload[0] === CHANNEL.stdin) stream.endInput()
      }
    }
  } catch {
    // the socket broke: the same as its end
  }
  stream.close()
}

const SIDE_MAX = 65_535

async function resize(stream: LiveStream, payload: Uint8Array): Promise<void> {
  let size: unknown
  try {
    size = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return
  }
  if (!isRecord(size)) return
  const { Width: columns, Height: rows } = size
  if (!isSide(columns) || !isSide(rows)) return
  // a program that has just ended has no terminal any more
  await stream.resize(columns, rows).catch(() => undefined)
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= SIDE_MAX
}
