/** The visible part of the field as pixels. No canvas calls for each dot: each state is a small stamp of pixels, written into one buffer. */
import { HEAD } from './layout.ts'
import type { Layout } from './layout.ts'
import { STANDING_ORDER } from '../../vocabulary.ts'
import type { Standing } from '../../view-model.ts'

/** 0xAABBGGRR by standing, as ImageData has it on every machine of today */
export type Palette = Readonly<Record<Standing, number>>

/** Pixel offsets of one dot. */
export type Stamp = readonly (readonly [x: number, y: number])[]

/** Shapes differ, not only colours; what is not known is hatched. Below five pixels there is only room for full and hatched. */
export function stampFor(standing: Standing, size: number): Stamp {
  const pixels: (readonly [number, number])[] = []
  for (let y = 0; y < size; y += 1) for (let x = 0; x < size; x += 1) if (inShape(standing, x, y, size)) pixels.push([x, y])
  return pixels
}

function inShape(standing: Standing, x: number, y: number, size: number): boolean {
  const [dx, dy] = [x + 0.5 - size / 2, y + 0.5 - size / 2]
  const far = Math.hypot(dx, dy)
  switch (standing) {
    case 'offline':
      return (x + y) % 2 === 0
    case 'never-seen':
      return x === 0 || y === 0 || x === size - 1 || y === size - 1 ? (x + y) % 2 === 0 : false
    case 'failed':
      return true
    case 'not-placed':
      return size < 5 || Math.max(Math.abs(dx), Math.abs(dy)) > size * 0.22
    case 'degraded':
      return size < 5 || Math.abs(dx) <= ((y + 1) / size) * (size / 2)
    case 'updating':
      return size < 5 || (far <= size / 2 && (far > size * 0.28 || dx > 0))
    case 'ok':
      return size < 5 || far <= size / 2
  }
}

export interface Frame {
  readonly layout: Layout
  readonly bytes: Uint8Array
  /** CSS pixels scrolled, and device pixels for one CSS pixel */
  readonly top: number
  readonly ratio: number
  readonly width: number
  readonly height: number
}

/** @param pixels of the buffer, `width` x `height` device pixels, cleared before */
export function paintField(pixels: Uint32Array, { layout, bytes, top, ratio, width, height }: Frame, palette: Palette): void {
  const size = Math.max(1, Math.round(layout.dot * ratio))
  const colors = Uint32Array.from(STANDING_ORDER, (standing) => palette[standing])
  const stamps = STANDING_ORDER.map((standing) => Int32Array.from(stampFor(standing, size), ([x, y]) => y * width + x))
  const pitch = layout.pitch * ratio
  // what holds for every row of dots is worked out once: the loop below runs a hundred thousand times a picture
  const across = Int32Array.from({ length: Math.max(0, ...layout.blocks.map((block) => block.columns)) }, (_, column) => Math.round(column * pitch))
  for (const block of layout.blocks) {
    const [left, begin] = [Math.round(block.x * ratio), (block.y + HEAD - top) * ratio]
    const fit = across.findLastIndex((x) => left + x <= width - size) + 1
    const rows = Math.ceil(block.count / block.columns)
    const first = Math.max(0, Math.ceil(-begin / pitch))
    const end = Math.min(rows, Math.floor((height - size - begin) / pitch) + 1)
    for (let row = first; row < end; row += 1) {
      const line = Math.round(begin + row * pitch) * width + left
      const from = block.start + row * block.columns
      const count = Math.min(block.columns, fit, block.start + block.count - from)
      for (let column = 0; column < count; column += 1) {
        const byte = bytes[from + column] ?? 0
        const stamp = stamps[byte]
        if (stamp === undefined) continue
        const base = line + (across[column] ?? 0)
        const color = colors[byte] ?? 0
        for (let at = 0; at < stamp.length; at += 1) pixels[base + (stamp[at] ?? 0)] = color
      }
    }
  }
}
