/** Writes one message and waits while the other side is slow. Resolves also when nobody takes it any more. */
import type { Duplex } from 'node:stream'

export function send(socket: Duplex, message: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.writableEnded || socket.write(message)) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of EVENTS) socket.off(event, done)
      resolve()
    }
    for (const event of EVENTS) socket.on(event, done)
  })
}

const EVENTS = ['drain', 'close', 'end', 'error'] as const
