/**
 * One clock for the whole world. Callbacks run in the order of their moments (ties: order of asking), and every promise chain
 * that a callback starts runs to its end before the next one: a run is a pure function of its seed.
 */
import type { Now } from '../../edge-agent/core/model.ts'
import type { Clock as AgentClock } from '../../edge-agent/ports.ts'
import type { Clock as CloudClock } from '../../cloud/ports.ts'

interface Alarm {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

export class VirtualTime {
  #nowMs = 0
  #order = 0
  readonly #heap: Alarm[] = []

  get nowMs(): number {
    return this.#nowMs
  }

  at(atMs: number, run: () => void): () => void {
    this.#order += 1
    const alarm: Alarm = { atMs: Math.max(atMs, this.#nowMs), order: this.#order, run, cancelled: false }
    this.#push(alarm)
    return () => {
      alarm.cancelled = true
    }
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.#nowMs + ms, run)
  }

  /** Lets everything happen that is due until then; `each` looks at the world after every callback. */
  async runUntil(endMs: number, each: () => void): Promise<void> {
    await settle()
    for (let next = this.#pop(endMs); next !== undefined; next = this.#pop(endMs)) {
      this.#nowMs = next.atMs
      next.run()
      await settle()
      each()
    }
    this.#nowMs = endMs
  }

  #pop(endMs: number): Alarm | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (first.atMs > endMs && !first.cancelled)) return undefined
      const last = this.#heap.pop()
      if (last !== undefined && this.#heap.length > 0) {
        this.#heap[0] = last
        this.#sink(0)
      }
      if (!first.cancelled) return first
    }
  }

  #push(alarm: Alarm): void {
    this.#heap.push(alarm)
    let index = this.#heap.length - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfBefore(index, parent)) return
      index = parent
    }
  }

  #sink(from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      let child = left
      if (this.#before(right, left)) child = right
      if (!this.#swapIfBefore(child, index)) return
      index = child
    }
  }

  #before(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return false
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order)
  }

  #swapIfBefore(a: number, b: number): boolean {
    if (!this.#before(a, b)) return false
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return false
    this.#heap[a] = second
    this.#heap[b] = first
    return true
  }
}

/** Promise chains run to their end: macro turns, because code under test may yield with setImmediate. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

const EPOCH_WALL_MS = Date.UTC(2026, 0, 1)

/**
 * The clocks of one machine. `Machine.process()` gives the clock of a program that can be killed: its timers die with it.
 * A boot starts the monotonic clock again; the wall clock is whatever somebody set.
 */
export class Machine {
  readonly #time: VirtualTime
  #bootMs = 0
  #wallOffsetMs = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  now(): Now {
    return { monoMs: this.#time.nowMs - this.#bootMs + 1_000, wallMs: Math.floor(EPOCH_WALL_MS + this.#time.nowMs + this.#wallOffsetMs) }
  }

  reboot(): void {
    this.#bootMs = this.#time.nowMs
  }

  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms
  }

  process(): ProcessClock {
    return new ProcessClock(this, this.#time)
  }
}

export class ProcessClock implements AgentClock, CloudClock {
  readonly #machine: Machine
  readonly #time: VirtualTime
  #dead = false

  constructor(machine: Machine, time: VirtualTime) {
    this.#machine = machine
    this.#time = time
  }

  get dead(): boolean {
    return this.#dead
  }

  /** the program is gone: nothing it asked for happens any more */
  kill(): void {
    this.#dead = true
  }

  now(): Now {
    return this.#machine.now()
  }

  nowMs(): number {
    return this.#machine.now().wallMs
  }

  monoMs(): number {
    return this.#machine.now().monoMs
  }

  at(monoMs: number, run: () => void): () => void {
    return this.after(monoMs - this.#machine.now().monoMs, run)
  }

  after(ms: number, run: () => void): () => void {
    return this.#time.after(Math.max(0, ms), () => {
      if (!this.#dead) run()
    })
  }

  /** resolves after that long, or never when the program died */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }
}
