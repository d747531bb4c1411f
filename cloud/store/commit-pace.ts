/** When the next commit may begin. A lone writer is never held up; many writers on a slow disk share what a commit costs. */
import { LIMITS } from '../../protocol/limits.ts'

/** Writes in one commit from which on more are waited for. */
const GATHER_FROM = 4

export class CommitPace {
  #notBeforeMs = 0

  /** 0 = at the end of this turn */
  waitMs(nowMs: number): number {
    const waitMs = this.#notBeforeMs - nowMs
    return waitMs >= 1 ? waitMs : 0
  }

  /** As long as the commit took others may do their work, and add their writes. */
  committed(writes: number, beganMs: number, endedMs: number): void {
    this.#notBeforeMs = writes < GATHER_FROM ? 0 : endedMs + Math.min(endedMs - beganMs, LIMITS.storeGatherMs.value)
  }
}
