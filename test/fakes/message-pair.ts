/** Two ends of a socket in memory whose chunks are whole messages, as those of a WebSocket are. */
import { Duplex } from 'node:stream'

export function messagePair(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = []
  const make = (other: number): Duplex => {
    let waiting: (() => void) | null = null
    const end = new Duplex({
      readableObjectMode: true,
      read: () => {
        const go = waiting
        waiting = null
        go?.()
      },
      write: (chunk: Uint8Array, _encoding, done) => {
        const peer = ends[other]
        if (peer === undefined || peer.destroyed) return done()
        if (peer.push(Uint8Array.from(chunk))) return done()
        wait(peer, done)
      },
      final: (done) => {
        ends[other]?.push(null)
        done()
      },
      destroy: (error, done) => {
        const peer = ends[other]
        if (peer !== undefined && !peer.readableEnded && !peer.destroyed) peer.push(null)
        done(error)
      },
    })
    Object.assign(end, {
      waitFor: (go: () => void) => {
        waiting = go
      },
    })
    end.on('error', () => undefined)
    return end
  }
  const wait = (peer: Duplex, done: () => void): void => (peer as Duplex & { waitFor(go: () => void): void }).waitFor(done)
  ends.push(make(1), make(0))
  const [a, b] = ends
  if (a === undefined || b === undefined) throw new Error('two ends were made')
  return [a, b]
}
