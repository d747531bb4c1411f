/** A word from outside as a key of a table of ours: `constructor` and `__proto__` are no entries of any. */
export function lookUp<T>(table: Readonly<Record<string, T>>, word: string | null | undefined): T | undefined {
  return word !== null && word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined
}
