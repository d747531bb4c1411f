/** Where each group and each dot of the field goes. Pure: the same counts and width give the same picture. */

export interface Block {
  readonly group: number
  /** place of its first device */
  readonly start: number
  readonly count: number
  readonly x: number
  readonly y: number
  readonly columns: number
}

export interface Layout {
  /** CSS pixels from dot to dot, and of a dot */
  readonly pitch: number
  readonly dot: number
  readonly blocks: readonly Block[]
  readonly height: number
}

/** Above each group: its name and counts. */
export const HEAD = 20
const GAP = 14
/** A group is at least as wide as its name needs. */
const LEAST_WIDTH = 132

export function layoutField(counts: readonly number[], width: number): Layout {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const { pitch, dot } = sizeFor(total)
  const blocks: Block[] = []
  let [x, y, shelf, start] = [0, 0, 0, 0]
  counts.forEach((count, group) => {
    const columns = columnsFor(count, pitch, width, counts.length)
    const blockWidth = Math.min(width, Math.max(LEAST_WIDTH, columns * pitch))
    if (x > 0 && x + blockWidth > width) {
      x = 0
      y += shelf + GAP
      shelf = 0
    }
    blocks.push({ group, start, count, x, y, columns })
    shelf = Math.max(shelf, HEAD + Math.ceil(count / columns) * pitch)
    x += blockWidth + GAP
    start += count
  })
  return { pitch, dot, blocks, height: y + shelf }
}

/** The device under a point, or null. */
export function deviceAt({ blocks, pitch }: Layout, x: number, y: number): number | null {
  for (const block of blocks) {
    const [column, row] = [Math.floor((x - block.x) / pitch), Math.floor((y - block.y - HEAD) / pitch)]
    if (column < 0 || row < 0 || column >= block.columns) continue
    const within = row * block.columns + column
    if (within < block.count) return block.start + within
  }
  return null
}

/** The group whose name is under a point, or null. */
export function groupAt({ blocks }: Layout, x: number, y: number): number | null {
  return blocks.find((block) => y >= block.y && y < block.y + HEAD && x >= block.x && x < block.x + LEAST_WIDTH + GAP)?.group ?? null
}

/** Top left corner of a dot. */
export function placeOf({ blocks, pitch }: Layout, device: number): { readonly x: number; readonly y: number } | null {
  const block = blocks.find((one) => device >= one.start && device < one.start + one.count)
  if (block === undefined) return null
  const within = device - block.start
  return { x: block.x + (within % block.columns) * pitch, y: block.y + HEAD + Math.floor(within / block.columns) * pitch }
}

/** The device one step away by arrow key; the same when there is none. */
export function stepFrom({ blocks }: Layout, device: number, key: string): number {
  const block = blocks.find((one) => device >= one.start && device < one.start + one.count)
  const last = blocks.at(-1)
  if (block === undefined || last === undefined) return device
  const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: block.columns, ArrowUp: -block.columns }
  if (key === 'Home') return 0
  if (key === 'End') return last.start + last.count - 1
  return Math.max(0, Math.min(last.start + last.count - 1, device + (steps[key] ?? 0)))
}

function sizeFor(total: number): { readonly pitch: number; readonly dot: number } {
  if (total <= 400) return { pitch: 18, dot: 14 }
  if (total <= 3000) return { pitch: 12, dot: 9 }
  if (total <= 12_000) return { pitch: 8, dot: 6 }
  return total <= 50_000 ? { pitch: 5, dot: 4 } : { pitch: 4, dot: 3 }
}

function columnsFor(count: number, pitch: number, width: number, groups: number): number {
  const most = Math.max(1, Math.floor(width / pitch))
  if (groups === 1) return most
  return Math.max(1, Math.min(most, Math.max(Math.floor(LEAST_WIDTH / pitch), Math.ceil(Math.sqrt(count * 2.4)))))
}
