/** From degrees to the picture and what of it is shown. Plate carrée in tenths of a degree, as the outline has it. Pure. */

export interface View {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Width to height of the picture. */
const SHAPE = 1.9
/** A part of a coast is seen with it almost everywhere, in tenths of a degree; who looks into a box wants to see that alone. */
const [LEAST, LEAST_BOX] = [250, 2]

export function projected({ lat, lon }: { readonly lat: number; readonly lon: number }): { readonly x: number; readonly y: number } {
  return { x: Math.round(lon * 1000) / 100, y: Math.round(-lat * 1000) / 100 }
}

/** All of the places with a little around them, in the shape of the picture. */
export function viewOf({ south, north, west, east }: { readonly [side in 'south' | 'north' | 'west' | 'east']: number }, close = false): View {
  const [left, top] = [west * 10, -north * 10]
  const [w, h] = [(east - west) * 10, (north - south) * 10]
  const width = Math.max(w * 1.16, h * 1.16 * SHAPE, close ? LEAST_BOX : LEAST)
  const height = width / SHAPE
  return { x: left + w / 2 - width / 2, y: top + h / 2 - height / 2, width, height }
}

/** In pixels. The area says how many; a single one can still be hit with a finger. */
export function radiusOf(count: number): number {
  return Math.min(30, 9 * count ** 0.22)
}

/** Lines of latitude and longitude that cross the view, as round degrees; a handful whatever is shown. */
export function gridOf({ x, y, width, height }: View): { readonly lats: readonly number[]; readonly lons: readonly number[] } {
  const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((one) => width / 10 / one < 8) ?? 45
  const between = (from: number, to: number): readonly number[] =>
    Array.from({ length: Math.max(0, Math.floor(to / step) - Math.ceil(from / step) + 1) }, (_, at) =>
      Number(((Math.ceil(from / step) + at) * step).toFixed(2)),
    )
  return { lats: between(-(y + height) / 10, -y / 10), lons: between(x / 10, (x + width) / 10) }
}

/** The place that a key leads to; null = not a key of the map. */
export function movedOn(key: string, at: number, count: number): number | null {
  const moves: Readonly<Record<string, number>> = {
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    Home: 0,
    End: count - 1,
  }
  const to = moves[key]
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to))
}
