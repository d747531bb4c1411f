/** Keys by group; a group without keys is forgotten. */
export class KeyIndex {
  readonly #groups = new Map<string, Set<string>>()

  get(group: string): readonly string[] {
    return [...(this.#groups.get(group) ?? [])]
  }

  add(group: string, key: string): void {
    const keys = this.#groups.get(group) ?? new Set()
    this.#groups.set(group, keys.add(key))
  }

  remove(group: string, key: string): void {
    const keys = this.#groups.get(group)
    keys?.delete(key)
    if (keys?.size === 0) this.#groups.delete(group)
  }
}
