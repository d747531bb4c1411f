/**
 * Networks of namespaces that have no pod any more stay for a while: making one costs an engine as much as a third of the next pod's start,
 * and a namespace with one pod would lose its network whenever that is replaced. Those of Services go at once: another Service
 * may have their address.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { PlannedNetwork } from '../core/service-model.ts'

export class Lingering {
  readonly #untilMonoMs = new Map<string, number>()

  /** The plan is another one. */
  changed(before: readonly PlannedNetwork[], after: readonly PlannedNetwork[], nowMonoMs: number): void {
    const wanted = new Set(after.map(({ name }) => name))
    for (const { name, address } of before)
      if (address === undefined && !wanted.has(name)) this.#untilMonoMs.set(name, nowMonoMs + LIMITS.networkLingerMs.value)
    for (const name of wanted) this.#untilMonoMs.delete(name)
  }

  /** Names that stay now. */
  names(nowMonoMs: number): readonly string[] {
    for (const [name, until] of this.#untilMonoMs) if (until <= nowMonoMs) this.#untilMonoMs.delete(name)
    return [...this.#untilMonoMs.keys()]
  }

  /** The engine is short of networks. */
  giveUp(): void {
    this.#untilMonoMs.clear()
  }

  /** When the first of them is to go; null = there are none. */
  nextMonoMs(): number | null {
    return this.#untilMonoMs.size === 0 ? null : Math.min(...this.#untilMonoMs.values())
  }
}
