/**
 * Everything the pages show, and how fresh it is.
 *
 * INVARIANTS
 * - Rows are whole: a delta replaces rows by key, so applying one twice changes nothing.
 * - While the connection is down the last picture stays and its age is told.
 * - One connection at a time; a lost one is retried after one to ten seconds, with the last revision held.
 */
import { batch, signal } from '@preact/signals'
import type { Delta, DeviceRow, EventRow, PodRow, Snapshot, Tables, WorkloadRow } from '../view-model.ts'
import { readEvents } from './event-stream.ts'
import { ask, token } from './session.ts'

export type Contact = 'loading' | 'live' | 'reconnecting'

export const contact = signal<Contact>('loading')
/** when the rows were last known to be true, on this browser's clock */
export const heardAtMs = signal(Date.now())
/** ticks each second so that ages move */
export const nowMs = signal(Date.now())

/** Rows of one kind by key. `version` counts changes: a component that reads it is drawn again. */
class RowSet<R> {
  readonly version = signal(0)
  readonly #rows = new Map<string, R>()
  readonly #keyOf: (row: R) => string
  #list: readonly R[] | null = null

  constructor(keyOf: (row: R) => string) {
    this.#keyOf = keyOf
  }

  all(): readonly R[] {
    void this.version.value
    return (this.#list ??= [...this.#rows.values()])
  }

  get(key: string): R | undefined {
    void this.version.value
    return this.#rows.get(key)
  }

  replaceAll(rows: readonly R[]): void {
    this.#rows.clear()
    this.change(rows, [])
  }

  change(rows: readonly R[], gone: readonly string[]): void {
    for (const key of gone) this.#rows.delete(key)
    for (const row of rows) this.#rows.set(this.#keyOf(row), row)
    this.#list = null
    this.version.value += 1
  }
}

export const devices = new RowSet<DeviceRow>((row) => row.name)
export const workloads = new RowSet<WorkloadRow>((row) => row.key)
export const pods = new RowSet<PodRow>((row) => row.key)
export const events = new RowSet<EventRow>((row) => row.key)

let revision = 0
let running = false

/** Loads the picture and follows it until the token is gone. */
export function startLive(): void {
  if (running) return
  running = true
  setInterval(() => {
    if (!document.hidden) nowMs.value = Date.now()
  }, 1000)
  void keepFollowing()
}

async function keepFollowing(): Promise<void> {
  let waitMs = 1000
  for (;;) {
    if (token.value === null) await signedIn()
    try {
      if (contact.value === 'loading' || revision === 0) await load()
      waitMs = 1000
      await follow()
    } catch {
      // told by `contact`; tried again below
    }
    if (contact.value === 'live') contact.value = 'reconnecting'
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    waitMs = Math.min(10_000, waitMs * 2)
  }
}

function signedIn(): Promise<void> {
  return new Promise((resolve) => {
    const stop = token.subscribe((value) => {
      if (value === null) return
      resolve()
      queueMicrotask(() => stop())
    })
  })
}

async function load(): Promise<void> {
  const snapshot = (await (await ask('snapshot')).json()) as Snapshot
  batch(() => {
    revision = snapshot.revision
    devices.replaceAll(snapshot.tables.devices)
    workloads.replaceAll(snapshot.tables.workloads)
    pods.replaceAll(snapshot.tables.pods)
    events.replaceAll(snapshot.tables.events)
    heard()
  })
}

async function follow(): Promise<void> {
  const quiet = new AbortController()
  let watchdog = setTimeout(() => quiet.abort(), 45_000)
  try {
    const response = await ask('events', { 'last-event-id': String(revision) }, quiet.signal)
    if (response.body === null) return
    heard()
    await readEvents(response.body, ({ event, data }) => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => quiet.abort(), 45_000)
      if (event === 'resync') void load()
      else if (event === 'delta') apply(JSON.parse(data) as Delta)
      heard()
    })
  } finally {
    clearTimeout(watchdog)
  }
}

function apply({ revision: newest, changed, gone }: Delta): void {
  batch(() => {
    revision = newest
    for (const [table, set] of SETS) {
      const rows = changed[table] ?? []
      const keys = gone[table] ?? []
      if (rows.length + keys.length > 0) set.change(rows as never[], keys)
    }
  })
}

const SETS: readonly (readonly [keyof Tables, { change(rows: readonly never[], gone: readonly string[]): void }])[] = [
  ['devices', devices],
  ['workloads', workloads],
  ['pods', pods],
  ['events', events],
]

function heard(): void {
  contact.value = 'live'
  heardAtMs.value = Date.now()
  nowMs.value = heardAtMs.value
}
