/**
 * Which places changed since a reader last looked. INVARIANTS: a reader that holds the mark of an answer gets, next time,
 * every place touched after it; a mark from before the log was cut, or before the places themselves moved, gets null.
 */

/** Entries kept beyond one for each place. */
const SPARE = 4096

export class ChangeLog {
  #places: number[] = []
  /** mark of the first entry */
  #base = 0

  touch(place: number): void {
    this.#places.push(place)
  }

  /** All places moved: nobody's mark is good any more. */
  reset(): void {
    this.#base += this.#places.length + 1
    this.#places = []
  }

  get mark(): number {
    return this.#base + this.#places.length
  }

  /** Places touched after the mark; null when everything must be looked at. */
  since(mark: number, places: number): readonly number[] | null {
    if (this.#places.length > places + SPARE) {
      const cut = this.#places.length >> 1
      this.#places = this.#places.slice(cut)
      this.#base += cut
    }
    if (mark < this.#base) return null
    return mark === this.mark ? NONE : this.#places.slice(mark - this.#base)
  }
}

const NONE: readonly number[] = []
