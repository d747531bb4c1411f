/**
 * What was made last, by what it was made from: one change goes to many watchers within one turn of the event loop. Not a WeakMap: the
 * store's history keeps its objects for long, and what is derived from them would stay as long.
 */
import { LIMITS } from '../../protocol/limits.ts'

export class Recent<K, V> {
  readonly #made = new Map<K, V>()

  get(key: K, make: () => V): V {
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const value = make()
    this.#made.set(key, value)
    if (this.#made.size > LIMITS.apiRecentObjects.value) this.#dropOldest()
    return value
  }

  #dropOldest(): void {
    for (const key of this.#made.keys()) {
      this.#made.delete(key)
      return
    }
  }
}
