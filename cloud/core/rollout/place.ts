/** Where a device stands among all: from 0 up to 1, the same each time, and names that are alike stand apart. */
export function placeOf(node: string): number {
  let hash = 2_166_136_261
  for (let index = 0; index < node.length; index += 1) hash = Math.imul(hash ^ node.charCodeAt(index), 16_777_619)
  return (hash >>> 0) / 2 ** 32
}
