/** Who is first among many whose scores change one at a time? A binary tree of winners; of equals the lower position wins. */
export class Tournament {
  readonly #size: number
  readonly #scores: Float64Array
  /** position of the winner below each inner node; the root is 1 */
  readonly #winners: Int32Array

  constructor(scores: readonly number[]) {
    this.#size = 1
    while (this.#size < scores.length) this.#size *= 2
    this.#scores = new Float64Array(this.#size).fill(-Infinity)
    this.#scores.set(scores)
    this.#winners = new Int32Array(this.#size * 2)
    for (let at = 0; at < this.#size; at += 1) this.#winners[this.#size + at] = at
    for (let node = this.#size - 1; node >= 1; node -= 1) this.#play(node)
  }

  score(at: number): number {
    return this.#scores[at] ?? -Infinity
  }

  set(at: number, score: number): void {
    if (this.#scores[at] === score) return
    this.#scores[at] = score
    for (let node = (this.#size + at) >> 1; node >= 1; node >>= 1) {
      const before = this.#winners[node]
      this.#play(node)
      // it did not win here before and does not now: nothing above changes
      if (before !== at && this.#winners[node] === before) return
    }
  }

  /** Position of the winner, or -1 when nobody has a score. */
  best(): number {
    const winner = this.#winners[1] ?? 0
    return this.score(winner) === -Infinity ? -1 : winner
  }

  #play(node: number): void {
    const left = this.#winners[node * 2] ?? 0
    const right = this.#winners[node * 2 + 1] ?? 0
    this.#winners[node] = this.score(right) > this.score(left) ? right : left
  }
}
