import { createServer } from 'node:net'

/** The wanted port when it is free on that address, else any free one. */
export async function freePort(wanted: number, host = '127.0.0.1'): Promise<number> {
  return (await tryPort(wanted, host)) ?? (await tryPort(0, host)) ?? wanted
}

function tryPort(port: number, host: string): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, host, () => {
      const address = server.address()
      const got = typeof address === 'object' && address !== null ? address.port : null
      server.close(() => resolve(got))
    })
  })
}
