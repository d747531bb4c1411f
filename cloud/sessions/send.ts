/** Writes to a stream and waits while its reader is slow. Resolves also when nobody takes it any more. */
import type { Writable } from 'node:stream'

export function send(stream: Writable, message: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded || stream.write(message)) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of EVENTS) stream.off(event, done)
      resolve()
    }
    for (const event of EVENTS) stream.on(event, done)
  })
}

const EVENTS = ['drain', 'close', 'end', 'error'] as const
