/** Linux list format: `0-3,8`. The empty list is ''. */

/** Ascending ids, or null when the text is not such a list. Only for text that was checked for length. */
export function parseIdList(text: string): readonly number[] | null {
  const ids = new Set<number>()
  if (text.trim() === '') return []
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part)
    if (match === null) return null
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    if (to < from || to - from > MOST_IDS) return null
    for (let id = from; id <= to; id += 1) ids.add(id)
  }
  return [...ids].sort((a, b) => a - b)
}

/** Above any machine: a broken list must not fill the memory. */
const MOST_IDS = 65_536

export function formatIdList(ids: Iterable<number>): string {
  const sorted = [...new Set(ids)].sort((a, b) => a - b)
  const parts: string[] = []
  for (let at = 0; at < sorted.length; at += 1) {
    const from = sorted[at] ?? 0
    let to = from
    while (sorted[at + 1] === to + 1) {
      at += 1
      to += 1
    }
    parts.push(from === to ? `${from}` : `${from}-${to}`)
  }
  return parts.join(',')
}
