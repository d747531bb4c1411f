/** A connection within this process: what is written on one end is read on the other, and the end of one is the end of both. */
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'

export function joinedPair(): readonly [Duplex, Duplex] {
  const [one, other] = duplexPair()
  one.on('close', () => other.destroy())
  other.on('close', () => one.destroy())
  return [one, other]
}
