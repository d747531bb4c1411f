/**
 * What the pages show, and how fresh it is: one stream a tab, told what each component on screen wishes to know.
 *
 * INVARIANTS
 * - The rows kept for a list are those of the window that came last: the cloud sends only rows that differ from them.
 * - While the connection is down the last picture stays and its age is told.
 * - Wishes are told one after another: an older list of them never takes the place of a newer one, and one that got lost is told again.
 * - One connection at a time; a lost one is retried after one to ten seconds, and all wishes are told again.
 * - A tab that nobody sees has none: a browser has six for all of its tabs, and a seventh tab would wait without a word.
 */
import { batch, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'
import type { FieldPart, ListPart, LiveMessage, Parts, Wish } from '../live-protocol.ts'
import { readEvents } from './event-stream.ts'
import { FieldBytes } from './field-bytes.ts'
import { ask, token } from './session.ts'
import type { TableName, Tables } from '../view-model.ts'

export type Contact = 'loading' | 'live' | 'reconnecting'

export const contact = signal<Contact>('loading')
/** when the cloud was last heard, on this browser's clock; null = not yet */
export const heardAtMs = signal<number | null>(null)
/** ticks each second so that ages move */
export const nowMs = signal(Date.now())

type Row = Tables[TableName]

/** A list as a component reads it: the window that came last. */
export interface ListSeen extends Omit<ListPart, 'rows' | 'keys'> {
  readonly rows: readonly Row[]
}

export type Seen<P extends Wish['part']> = P extends 'list' ? ListSeen : P extends 'field' ? FieldBytes : Exclude<Parts[P], ListPart | FieldPart>

interface Standing {
  wish: Wish
  readonly seen: Signal<unknown>
  rows: ReadonlyMap<string, Row>
}

const wishes = new Map<string, Standing>()
let stream = ''
let told = false
/** wishes on their way; null = none are */
let telling: AbortController | null = null
let tellAgain = false
let running = false
let counter = 0

/** A place for one wish; `release` it when nobody looks any more. */
export function openWish<W extends Wish>(wish: W): { readonly seen: Signal<Seen<W['part']> | undefined>; change(wish: W): void; release(): void } {
  counter += 1
  const key = `w${counter}`
  const seen = signal<Seen<W['part']> | undefined>(undefined)
  const standing: Standing = { wish, seen, rows: new Map() }
  wishes.set(key, standing)
  tellSoon()
  return {
    seen,
    change(next) {
      if (JSON.stringify(standing.wish) === JSON.stringify(next)) return
      standing.wish = next
      tellSoon()
    },
    release() {
      wishes.delete(key)
      tellSoon()
    },
  }
}

/** Follows the cloud until the token is gone. */
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
    await seen()
    try {
      await follow(() => {
        waitMs = 1000
      })
    } catch {
      // told by `contact`; tried again below
    }
    stream = ''
    if (token.value === null) {
      // whoever signs in next does not wait for what went wrong before
      waitMs = 1000
      continue
    }
    if (document.hidden) continue
    contact.value = 'reconnecting'
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

/** Resolves when somebody looks at this tab. */
function seen(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return
      document.removeEventListener('visibilitychange', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
    look()
  })
}

/** Long enough for a look at another tab and back. */
const UNSEEN_MS = 2_000

/** @returns an end to it */
function whenUnseen(run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(run, UNSEEN_MS)
  }
  document.addEventListener('visibilitychange', look)
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  }
}

/** Three pings missed: the connection is gone even if nobody said so. */
const SILENCE_MS = 45_000

async function follow(onHello: () => void): Promise<void> {
  const quiet = new AbortController()
  let watchdog = setTimeout(() => quiet.abort(), SILENCE_MS)
  const watchNoMore = whenUnseen(() => quiet.abort())
  try {
    const response = await ask('stream', {}, quiet.signal)
    if (response.body === null) return
    await readEvents(response.body, ({ event, data }) => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => quiet.abort(), SILENCE_MS)
      if (event === 'hello') {
        stream = (JSON.parse(data) as { readonly stream: string }).stream
        onHello()
        for (const standing of wishes.values()) standing.rows = new Map()
        // those on their way are for a stream that is over
        telling?.abort()
        telling = null
        tellNow()
      } else if (event === 'parts') take(JSON.parse(data) as LiveMessage)
      if (event !== 'hello') heard()
    })
  } finally {
    clearTimeout(watchdog)
    watchNoMore()
  }
}

/** Wishes of one moment are told together; a scroll tells a few times a second. */
const TELL_MS = 80
/** Wishes that did not arrive are told again after this, and then ever more seldom: they may be refused each time. */
const TELL_AGAIN_MS = { first: 1_000, most: 10_000 } as const
let tellAgainMs: number = TELL_AGAIN_MS.first

function tellSoon(): void {
  if (told) return
  told = true
  setTimeout(() => {
    told = false
    tellNow()
  }, TELL_MS)
}

function tellNow(): void {
  if (stream === '') return
  tellAgain = telling !== null
  if (telling !== null) return
  const mine = new AbortController()
  telling = mine
  const body = JSON.stringify({ wishes: Object.fromEntries([...wishes].map(([key, { wish }]) => [key, wish])) })
  const over = (after: () => void): void => {
    if (telling !== mine) return
    telling = null
    after()
  }
  ask(`stream/${stream}`, { 'content-type': 'application/json' }, mine.signal, { method: 'PUT', body }).then(
    () =>
      over(() => {
        tellAgainMs = TELL_AGAIN_MS.first
        if (tellAgain) tellNow()
      }),
    () =>
      over(() => {
        setTimeout(tellNow, tellAgainMs)
        tellAgainMs = Math.min(TELL_AGAIN_MS.most, tellAgainMs * 2)
      }),
  )
}

function take({ parts }: LiveMessage): void {
  batch(() => {
    for (const [key, part] of Object.entries(parts)) {
      const standing = wishes.get(key)
      if (standing === undefined) continue
      if (standing.wish.part === 'list') takeList(standing, part as ListPart)
      else if (standing.wish.part === 'field') standing.seen.value = FieldBytes.after(standing.seen.value, part as FieldPart)
      else standing.seen.value = part
    }
  })
}

function takeList(standing: Standing, { keys, rows, ...head }: ListPart): void {
  const known = new Map(standing.rows)
  for (const row of rows) known.set('key' in row ? row.key : row.name, row)
  const window = keys.flatMap((key) => known.get(key) ?? [])
  standing.rows = new Map(keys.flatMap((key) => (known.has(key) ? [[key, known.get(key) as Row] as const] : [])))
  standing.seen.value = { ...head, rows: window }
}

function heard(): void {
  contact.value = 'live'
  const now = Date.now()
  heardAtMs.value = now
  nowMs.value = now
}
