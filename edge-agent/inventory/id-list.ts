/** Numbers as Linux writes them: counts, lists of ids (`0-3,8`), masks (comma-separated 32-bit hex words, most significant first). */

/** null when the text is absent or no whole number that can be held exactly */
export function parseCount(text: string | null | undefined): number | null {
  if (text === null || text === undefined || !/^\d+$/.test(text.trim())) return null
  const count = Number(text)
  return Number.isSafeInteger(count) ? count : null
}

/** Ids in rising order, each once; null when the text is not such a list. An empty text is an empty list. */
export function parseIdList(text: string): readonly number[] | null {
  const ids = new Set<number>()
  for (const part of text.trim().split(',')) {
    if (part.trim() === '') continue
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim())
    if (match === null) return null
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (last < first || last > HIGHEST_ID) return null
    for (let id = first; id <= last; id += 1) ids.add(id)
  }
  return [...ids].sort((a, b) => a - b)
}

export function parseIdMask(text: string): readonly number[] | null {
  const words = text.trim().split(',').toReversed()
  const ids: number[] = []
  for (const [index, word] of words.entries()) {
    if (!/^[0-9a-fA-F]{1,8}$/.test(word)) return null
    const bits = Number.parseInt(word, 16)
    for (let bit = 0; bit < 32; bit += 1) if (((bits >>> bit) & 1) === 1) ids.push(index * 32 + bit)
  }
  return ids
}

/** `[0,1,2,3,8]` -> `0-3,8` */
export function formatIdList(ids: readonly number[]): string {
  const parts: string[] = []
  for (let index = 0; index < ids.length; index += 1) {
    const first = ids[index]
    while (ids[index + 1] === (ids[index] ?? 0) + 1) index += 1
    parts.push(first === ids[index] ? String(first) : `${first}-${ids[index]}`)
  }
  return parts.join(',')
}

/** far above any kernel's NR_CPUS: a damaged file must not make a list of a million */
const HIGHEST_ID = 65_535
