/** FNV-1a of a text: the same everywhere, and texts that are alike stand apart. Chooses and spreads without a random source. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash
}

/** The same as a number in [0, 1). */
export function spread(text: string): number {
  return textHash(text) / 0x1_0000_0000
}
