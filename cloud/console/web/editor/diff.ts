/** Two texts line by line: what stays, goes and comes, with a little around each change. Pure. */

export interface DiffLine {
  readonly mark: ' ' | '-' | '+' | '…'
  readonly text: string
}

/** Lines kept around a change. */
const AROUND = 3
/** More lines than this are shown as all old, then all new. */
const MOST = 2000

export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  const middle = changed(a.slice(start, a.length - end), b.slice(start, b.length - end))
  const same = (text: string): DiffLine => ({ mark: ' ', text })
  return folded([...a.slice(0, start).map(same), ...middle, ...a.slice(a.length - end).map(same)])
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

/** Longest common subsequence. */
function changed(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  if (a.length > MOST || b.length > MOST)
    return [...a.map((text): DiffLine => ({ mark: '-', text })), ...b.map((text): DiffLine => ({ mark: '+', text }))]
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const out: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [old, fresh] = [a[i], b[j]]
    if (old !== undefined && old === fresh) {
      out.push({ mark: ' ', text: old })
      i += 1
      j += 1
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      out.push({ mark: '-', text: old })
      i += 1
    } else {
      out.push({ mark: '+', text: fresh ?? '' })
      j += 1
    }
  }
  return out
}

function folded(lines: readonly DiffLine[]): readonly DiffLine[] {
  const near = new Set<number>()
  lines.forEach(({ mark }, at) => {
    if (mark !== ' ') for (let one = at - AROUND; one <= at + AROUND; one += 1) near.add(one)
  })
  const out: DiffLine[] = []
  lines.forEach((line, at) => {
    if (near.has(at)) out.push(line)
    else if (out.at(-1)?.mark !== '…') out.push({ mark: '…', text: '' })
  })
  return near.size === 0 ? [] : out
}
