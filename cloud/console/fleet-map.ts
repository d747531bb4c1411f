/**
 * Devices that have a place, gathered where they would lie on each other: a map of a hundred thousand devices is a few hundred
 * circles. Pure.
 */
import type { MapPart, MapSpot, MapWish } from './live-protocol.ts'
import type { Place } from './place.ts'
import type { DeviceRow } from './view-model.ts'
import { STANDING_ORDER, standingByte } from './vocabulary.ts'

/** Squares of the map's longer side: circles of neighbours just do not meet. */
const SQUARES = 40
/** Around a single place there is still something to see, in degrees. */
const LEAST_SPAN = 0.02

export function mapPart(rows: readonly DeviceRow[], box: MapWish['box'], issues: readonly string[]): MapPart {
  const placed = rows.flatMap((row) => (row.place === null || !isWithin(row.place, box) ? [] : [{ row, ...row.place }]))
  const [south, north] = spanOf(placed.map(({ lat }) => lat))
  const [west, east] = spanOf(placed.map(({ lon }) => lon))
  const size = Math.max(north - south, east - west) / SQUARES
  const spots = new Map<string, { lat: number; lon: number; count: number; standings: number[]; names: string[] }>()
  for (const { row, lat, lon } of placed) {
    const key = `${Math.floor((lat - south) / size)} ${Math.floor((lon - west) / size)}`
    const spot = spots.get(key) ?? { lat: 0, lon: 0, count: 0, standings: STANDING_ORDER.map(() => 0), names: [] }
    spots.set(key, spot)
    spot.lat += lat
    spot.lon += lon
    spot.count += 1
    const byte = standingByte(row.standing)
    spot.standings[byte] = (spot.standings[byte] ?? 0) + 1
    if (spot.names.length < 3) spot.names.push(row.name)
  }
  return {
    total: rows.length,
    placed: placed.length,
    bounds: placed.length === 0 ? null : { south, north, west, east },
    spots: [...spots.values()].map(({ lat, lon, count, standings, names }): MapSpot => ({
      lat: round(lat / count),
      lon: round(lon / count),
      count,
      standings,
      names,
    })),
    issues,
  }
}

function isWithin({ lat, lon }: Place, box: MapWish['box']): boolean {
  if (box === null) return true
  const [south, north, west, east] = box
  return lat >= south && lat <= north && lon >= west && lon <= east
}

function spanOf(values: readonly number[]): readonly [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  const lacks = Math.max(0, LEAST_SPAN - (most - least)) / 2
  return [least - lacks, most + lacks]
}

function round(degrees: number): number {
  return Math.round(degrees * 1e5) / 1e5
}
