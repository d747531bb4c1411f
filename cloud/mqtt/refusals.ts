/** How often something was refused, by reason: shown in the console and in metrics. Reasons are fixed words, never input. */
export class Refusals {
  readonly #counts = new Map<string, number>()

  /** How often it was, this time included. */
  count(reason: string): number {
    const times = (this.#counts.get(reason) ?? 0) + 1
    this.#counts.set(reason, times)
    return times
  }

  read(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
