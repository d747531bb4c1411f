/**
 * Who may act on the device page. INVARIANTS
 * - A PIN is compared as scrypt hashes in constant time, one try at a time; wrong tries make everybody wait, longer each time.
 * - A session is a random token that lives in memory only and ends by itself; it is sent in a header, never in a cookie.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { LIMITS } from '../../protocol/limits.ts'

export type SignIn =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly why: 'wrong' | 'busy'; readonly waitMs: number }
  | { readonly ok: false; readonly why: 'locked'; readonly waitMs: number }

/** 4 MiB and some milliseconds: a small board can afford it, one try at a time. */
const COST = { N: 4096, r: 8, p: 1 }

export class PinGate {
  readonly #pin: string
  readonly #monoMs: () => number
  readonly #salt = randomBytes(16)
  /** token -> monotonic end */
  readonly #sessions = new Map<string, number>()
  #wrong = 0
  #lockedUntil = 0
  #busy = false

  constructor(pin: string, monoMs: () => number) {
    this.#pin = pin
    this.#monoMs = monoMs
  }

  async signIn(pin: string): Promise<SignIn> {
    const waitMs = this.waitMs()
    if (waitMs > 0) return { ok: false, why: 'locked', waitMs }
    if (this.#busy) return { ok: false, why: 'busy', waitMs: 1_000 }
    this.#busy = true
    try {
      const [given, wanted] = await Promise.all([this.#hash(pin), this.#hash(this.#pin)])
      if (!timingSafeEqual(given, wanted)) return this.#wrongPin()
      this.#wrong = 0
      return { ok: true, token: this.#open() }
    } finally {
      this.#busy = false
    }
  }

  /** True for the token of a session that goes on; using it keeps it alive. */
  knows(token: string | undefined): boolean {
    const now = this.#monoMs()
    for (const [one, end] of this.#sessions) if (end <= now) this.#sessions.delete(one)
    if (token === undefined || !this.#sessions.has(token)) return false
    this.#sessions.set(token, now + LIMITS.pageSessionMs.value)
    return true
  }

  signOut(token: string | undefined): void {
    if (token !== undefined) this.#sessions.delete(token)
  }

  /** milliseconds until the next try is taken; 0 = now */
  waitMs(): number {
    return Math.max(0, this.#lockedUntil - this.#monoMs())
  }

  #wrongPin(): SignIn {
    this.#wrong += 1
    const over = this.#wrong - LIMITS.pagePinTries.value
    const waitMs = over < 0 ? 0 : Math.min(LIMITS.pageLockFirstMs.value * 2 ** Math.min(over, 20), LIMITS.pageLockMaxMs.value)
    this.#lockedUntil = this.#monoMs() + waitMs
    return { ok: false, why: 'wrong', waitMs }
  }

  #open(): string {
    const token = randomBytes(32).toString('base64url')
    // the oldest goes: somebody forgot to sign out
    for (const old of this.#sessions.keys()) {
      if (this.#sessions.size < LIMITS.pageSessions.value) break
      this.#sessions.delete(old)
    }
    this.#sessions.set(token, this.#monoMs() + LIMITS.pageSessionMs.value)
    return token
  }

  #hash(pin: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      scrypt(pin.slice(0, 64), this.#salt, 32, COST, (error, key) => (error === null ? resolve(key) : reject(error)))
    })
  }
}
