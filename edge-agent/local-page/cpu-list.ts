/** Numbers of a Linux cpu list: `"0-3,8"` -> 0 1 2 3 8. Malformed parts are skipped; at most `max` numbers are returned. */
export function parseCpuList(text: string, max = 4096): readonly number[] {
  const found: number[] = []
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(part)
    if (match === null) continue
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    for (let cpu = first; cpu <= last && found.length < max; cpu += 1) found.push(cpu)
  }
  return found
}
