/**
 * INVARIANTS
 * - The ticker runs only while a client listens; nothing is polled for nobody.
 * - A client gets at most one message a second, and only when the state object changed.
 * - At most one message waits for a slow client; it gets the newest when it has drained, and is closed when it never does.
 */
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'

const PING_TICKS = 15
const STUCK_TICKS = 30

export interface LiveClients {
  /** false when there are enough already */
  add(response: ServerResponse): boolean
  close(): void
}

interface Client {
  readonly response: ServerResponse
  sent: unknown
  quietTicks: number
  stuckTicks: number
}

/**
 * Server-sent events for a few open pages.
 * @param version any value that is a new identity when the page would differ
 * @param message the whole page data as JSON
 */
export function liveClients(version: () => unknown, message: () => string): LiveClients {
  const clients = new Set<Client>()
  let ticker: NodeJS.Timeout | null = null

  function tick(): void {
    const now = version()
    let encoded: string | null = null
    for (const client of clients) {
      if (waitsForSocket(client)) continue
      client.quietTicks += 1
      if (client.sent !== now) {
        encoded ??= `data: ${message()}\n\n`
        client.response.write(encoded)
        client.sent = now
        client.quietTicks = 0
      } else if (client.quietTicks >= PING_TICKS) {
        client.response.write(': still here\n\n')
        client.quietTicks = 0
      }
    }
  }

  function remove(client: Client): void {
    clients.delete(client)
    if (clients.size > 0 || ticker === null) return
    clearInterval(ticker)
    ticker = null
  }

  return {
    add(response) {
      if (clients.size >= LIMITS.localPageEventClients.value) return false
      const client: Client = { response, sent: version(), quietTicks: 0, stuckTicks: 0 }
      clients.add(client)
      response.on('close', () => remove(client))
      response.write(`retry: 3000\ndata: ${message()}\n\n`)
      ticker ??= setInterval(tick, LIMITS.localPageEventMs.value).unref()
      return true
    },
    close() {
      for (const client of clients) client.response.end()
    },
  }
}

function waitsForSocket(client: Client): boolean {
  if (!client.response.writableNeedDrain) {
    client.stuckTicks = 0
    return false
  }
  client.stuckTicks += 1
  if (client.stuckTicks > STUCK_TICKS) client.response.destroy()
  return true
}
