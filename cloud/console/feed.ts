/**
 * INVARIANTS
 * - A client that holds the rows of revision R and applies every later message in order holds the newest rows.
 * - At most four messages a second reach a client, however fast the store changes; each is encoded once for all.
 * - A client whose socket does not drain is closed: it comes back with its last revision, nothing is queued for it.
 */
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock } from '../ports.ts'
import type { Delta } from './view-model.ts'

/** Where the rows come from. */
export interface FeedSource {
  /** the newest store revision that the rows show */
  revision(): number
  /** rows that changed since the last call, or null */
  take(): Delta | null
}

interface Sent {
  readonly revision: number
  readonly text: string
}

export class Feed {
  readonly #clients = new Set<ServerResponse>()
  readonly #history: Sent[] = []
  readonly #clock: Clock
  readonly #source: FeedSource
  #floor: number
  #historyBytes = 0
  #cancelFlush: (() => void) | null = null
  #cancelPing: (() => void) | null = null

  /** @param floor revision of the picture at the start: who holds an older one must load it again */
  constructor(clock: Clock, floor: number, source: FeedSource) {
    this.#clock = clock
    this.#floor = floor
    this.#source = source
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Rows may differ now: sends them soon. */
  changed(): void {
    this.#cancelFlush ??= this.#clock.after(LIMITS.consoleEventMs.value, () => {
      this.#cancelFlush = null
      this.flush()
    })
  }

  /** Brings history and clients up to date at once. */
  flush(): void {
    const delta = this.#source.take()
    if (delta === null) return
    const text = `id: ${delta.revision}\nevent: delta\ndata: ${JSON.stringify(delta)}\n\n`
    this.#remember({ revision: delta.revision, text })
    this.#write(text)
  }

  /** False when there are enough clients. @param from revision the client holds, null when it does not say */
  add(response: ServerResponse, from: number | null): boolean {
    if (this.#clients.size >= LIMITS.sseClients.value) return false
    this.flush()
    response.write(': skerry\nretry: 2000\n\n')
    if (from === null || from < this.#floor || from > this.#source.revision()) response.write('event: resync\ndata: {}\n\n')
    // equal revisions too: what is not in the store changes rows without a new revision
    else
      response.write(
        this.#history
          .filter((one) => one.revision >= from)
          .map((one) => one.text)
          .join('') || ': up to date\n\n',
      )
    this.#clients.add(response)
    response.on('close', () => this.#clients.delete(response))
    this.#ping()
    return true
  }

  /** The picture was made anew: everybody loads it again. */
  resync(floor: number): void {
    this.#floor = floor
    this.#history.length = 0
    this.#historyBytes = 0
    this.#write('event: resync\ndata: {}\n\n')
  }

  close(): void {
    this.#cancelFlush?.()
    this.#cancelPing?.()
    for (const client of this.#clients) client.end()
  }

  #remember(sent: Sent): void {
    this.#history.push(sent)
    this.#historyBytes += sent.text.length
    while (this.#historyBytes > LIMITS.consoleHistoryBytes.value) {
      const dropped = this.#history.shift()
      if (dropped === undefined) return
      this.#historyBytes -= dropped.text.length
      this.#floor = dropped.revision
    }
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > LIMITS.consoleClientBytes.value) client.destroy()
      else client.write(text)
    }
  }

  #ping(): void {
    this.#cancelPing ??= this.#clock.after(15_000, () => {
      this.#cancelPing = null
      if (this.#clients.size === 0) return
      this.#write('event: ping\ndata: {}\n\n')
      this.#ping()
    })
  }
}
