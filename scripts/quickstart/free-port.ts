/**
 * Ports for programs that are started in a moment. INVARIANT: one process never gives the same port twice; and the port is not one that
 * the kernel gives to connections, which others open between here and the program that listens.
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** test suites beside each other are processes of their own: each takes from another part */
const LANE = Number(process.env['VITEST_POOL_ID'] ?? 0) % 4
const COUNT = 3_000
/** below 32768, where Linux begins with ports of connections */
const FIRST = 20_000 + LANE * COUNT
const given = new Set<number>()

/** The wanted port when it is free on that address, else any free one. @param wanted 0 = any */
export async function freePort(wanted = 0, host = '127.0.0.1'): Promise<number> {
  if (wanted !== 0 && (await isFree(wanted, host))) return wanted
  while (given.size < COUNT) {
    const port = FIRST + randomInt(COUNT)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port, '0.0.0.0')) return port
  }
  throw new Error(`no port from ${FIRST} to ${FIRST + COUNT - 1} is free`)
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
