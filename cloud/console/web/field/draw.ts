/** Puts the field on its canvas, in the colours of the page. */
import { useEffect, useState } from 'preact/hooks'
import { STANDING_ORDER } from '../../vocabulary.ts'
import type { Standing } from '../../view-model.ts'
import type { FieldBytes } from '../field-bytes.ts'
import { grouped } from '../words.ts'
import { HEAD, placeOf } from './layout.ts'
import type { Layout } from './layout.ts'
import { paintField } from './paint.ts'
import type { Palette } from './paint.ts'

export interface Colors {
  readonly dots: Palette
  readonly ink: string
  readonly muted: string
}

const VARIABLES: Readonly<Record<Standing, string>> = {
  failed: '--dot-failed',
  'not-placed': '--dot-not-placed',
  offline: '--dot-offline',
  degraded: '--dot-degraded',
  updating: '--dot-updating',
  'never-seen': '--dot-never-seen',
  ok: '--dot-ok',
}

/** The page's own colours, read again when day turns to night. */
export function usePalette(): Colors {
  const [colors, setColors] = useState(readColors)
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)')
    const change = (): void => setColors(readColors())
    media.addEventListener('change', change)
    return () => media.removeEventListener('change', change)
  }, [])
  return colors
}

function readColors(): Colors {
  const style = getComputedStyle(document.documentElement)
  const value = (name: string): string => style.getPropertyValue(name).trim()
  const dots = Object.fromEntries(STANDING_ORDER.map((one) => [one, pixelOf(value(VARIABLES[one]))])) as Record<Standing, number>
  return { dots, ink: value('--ink'), muted: value('--muted') }
}

/** `#rrggbb` as a pixel */
function pixelOf(color: string): number {
  const [r, g, b] = [1, 3, 5].map((from) => Number.parseInt(color.slice(from, from + 2), 16) || 0)
  return ((255 << 24) | ((b ?? 0) << 16) | ((g ?? 0) << 8) | (r ?? 0)) >>> 0
}

interface Drawing {
  readonly field: FieldBytes
  readonly layout: Layout
  readonly top: number
  readonly at: number | null
  readonly palette: Colors
  readonly width: number
  readonly height: number
}

export function drawField(canvas: HTMLCanvasElement, { field, layout, top, at, palette, width, height }: Drawing): void {
  const ratio = Math.min(2, window.devicePixelRatio)
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const context = canvas.getContext('2d', { alpha: true })
  if (context === null || w === 0 || h === 0) return
  const image = bufferFor(context, w, h)
  const pixels = new Uint32Array(image.data.buffer)
  pixels.fill(0)
  paintField(pixels, { layout, bytes: field.bytes, top, ratio, width: w, height: h }, palette.dots)
  context.putImageData(image, 0, 0)
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  for (const block of layout.blocks) {
    const y = block.y - top
    const group = field.groups[block.group]
    if (group === undefined || y < -HEAD || y > height || (field.groups.length === 1 && group.label === '')) continue
    context.font = '600 12px system-ui, sans-serif'
    context.fillStyle = palette.ink
    const name = group.label === '' ? 'without label' : group.label
    context.fillText(name, block.x, y + 13)
    const after = context.measureText(`${name} `).width
    context.font = '12px system-ui, sans-serif'
    context.fillStyle = palette.muted
    context.fillText(`${grouped(group.count)}${worstOf(group.standings)}`, block.x + after + 2, y + 13)
  }
  const place = at === null ? null : placeOf(layout, at)
  if (place !== null) {
    context.strokeStyle = palette.ink
    context.lineWidth = 2
    context.strokeRect(place.x - 2, place.y - top - 2, layout.dot + 4, layout.dot + 4)
  }
  // for who waits for the picture
  canvas.dataset['painted'] = String(field.bytes.length)
}

/** `, 12 failed`: the worst that is there; '' when all is well. */
function worstOf(standings: readonly number[]): string {
  const at = standings.findIndex((count, place) => count > 0 && STANDING_ORDER[place] !== 'ok')
  return at < 0 ? '' : `, ${grouped(standings[at] ?? 0)} ${STANDING_ORDER[at] ?? ''}`
}

let kept: ImageData | null = null

/** One buffer for all frames of one size. */
function bufferFor(context: CanvasRenderingContext2D, width: number, height: number): ImageData {
  if (kept === null || kept.width !== width || kept.height !== height) kept = context.createImageData(width, height)
  return kept
}
