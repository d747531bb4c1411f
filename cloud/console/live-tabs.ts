/**
 * The open tabs: one stream each, told what they wish to know.
 *
 * INVARIANTS
 * - At most four messages a second reach a tab beside the answers to its own new wishes, however fast the store changes.
 * - Messages of one tab are in order: answers to wishes and changes travel on the same stream.
 * - A tab whose socket does not drain is closed: it comes back and wishes again, nothing is queued for it.
 * - Without tabs nothing is computed.
 */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock } from '../ports.ts'
import { nothingSent } from './live-parts.ts'
import type { LiveParts, Sent } from './live-parts.ts'
import type { Parts, Wish } from './live-protocol.ts'

interface Tab {
  readonly response: ServerResponse
  wishes: ReadonlyMap<string, { readonly wish: Wish; readonly text: string; readonly sent: Sent }>
}

/** Proxies pass on what they have once this much has come. */
const PADDING = `: ${' '.repeat(2048)}\n`
const PING_MS = 15_000
/** A large list that was not made anew at once is looked at again after this. */
const LATER_MS = 1000

export class LiveTabs {
  readonly #clock: Clock
  readonly #parts: LiveParts
  readonly #take: () => void
  readonly #tabs = new Map<string, Tab>()
  #cancelTick: (() => void) | null = null
  #cancelPing: (() => void) | null = null

  /** @param take brings the rows up to date */
  constructor(clock: Clock, parts: LiveParts, take: () => void) {
    this.#clock = clock
    this.#parts = parts
    this.#take = take
  }

  get size(): number {
    return this.#tabs.size
  }

  hasRoom(): boolean {
    return this.#tabs.size < LIMITS.sseClients.value
  }

  open(response: ServerResponse): void {
    const id = randomUUID()
    response.write(`${PADDING}retry: 2000\nevent: hello\ndata: ${JSON.stringify({ stream: id })}\n\n`)
    this.#tabs.set(id, { response, wishes: new Map() })
    response.on('close', () => this.#tabs.delete(id))
    this.#ping()
  }

  /** Replaces what the tab wishes; a wish that it had already goes on. False = there is no such stream (any more). */
  wish(id: string, wishes: ReadonlyMap<string, Wish>): boolean {
    const tab = this.#tabs.get(id)
    if (tab === undefined) return false
    const next = new Map<string, { wish: Wish; text: string; sent: Sent }>()
    for (const [key, wish] of wishes) {
      const text = JSON.stringify(wish)
      const before = tab.wishes.get(key)
      const kept = before !== undefined && (before.text === text || isMoved(before.wish, wish))
      next.set(key, { wish, text, sent: kept ? before.sent : nothingSent() })
    }
    tab.wishes = next
    this.#take()
    this.#tell(tab, true)
    return true
  }

  /** Rows may differ now: tells soon. */
  changed(afterMs: number = LIMITS.consoleEventMs.value): void {
    if (this.#tabs.size === 0) return
    this.#cancelTick ??= this.#clock.after(afterMs, () => {
      this.#cancelTick = null
      this.#take()
      const waits = this.#parts.nextRound()
      for (const tab of this.#tabs.values()) this.#tell(tab, false)
      if (waits) this.changed(LATER_MS)
    })
  }

  close(): void {
    this.#cancelTick?.()
    this.#cancelPing?.()
    for (const { response } of this.#tabs.values()) response.end()
  }

  #tell(tab: Tab, between: boolean): void {
    const parts: Record<string, Parts[Wish['part']]> = {}
    for (const [key, { wish, sent }] of tab.wishes) {
      const part = this.#parts.part(wish, sent, between)
      if (part !== undefined) parts[key] = part
    }
    if (Object.keys(parts).length > 0) this.#write(tab, `event: parts\ndata: ${JSON.stringify({ atMs: this.#clock.nowMs(), parts })}\n\n`)
  }

  #write({ response }: Tab, text: string): void {
    if (response.writableLength > LIMITS.consoleClientBytes.value) response.destroy()
    else response.write(text)
  }

  #ping(): void {
    this.#cancelPing ??= this.#clock.after(PING_MS, () => {
      this.#cancelPing = null
      if (this.#tabs.size === 0) return
      for (const tab of this.#tabs.values()) this.#write(tab, 'event: ping\ndata: {}\n\n')
      this.#ping()
    })
  }
}

/** Another window of the same list: rows that the tab holds are not sent again. */
function isMoved(before: Wish, after: Wish): boolean {
  return before.part === 'list' && after.part === 'list' && before.table === after.table
}
