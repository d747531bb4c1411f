/** Devices on the map: where they say they are, gathered, and none lost. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mapPart } from '../cloud/console/fleet-map.ts'
import { placeOf } from '../cloud/console/place.ts'
import { gridOf, radiusOf, viewOf } from '../cloud/console/web/map/projection.ts'
import { pretendDevice } from './fixtures/console-devices.ts'

it('reads a place, and nothing that is none on this planet', () => {
  expect(placeOf('51.3127, 9.4797')).toEqual({ lat: 51.3127, lon: 9.4797 })
  expect(placeOf('-33.9;18.4')).toEqual({ lat: -33.9, lon: 18.4 })
  for (const wrong of [undefined, '', 'Kassel', '91, 0', '0, 181', '51.3', '1e5, 2', '51,3 9,4', 'NaN, NaN']) expect(placeOf(wrong), wrong).toBeNull()
})

it('shows each device with a place once, within the picture', () => {
  const place = fc.option(fc.record({ lat: fc.double({ min: -90, max: 90, noNaN: true }), lon: fc.double({ min: -180, max: 180, noNaN: true }) }))
  fc.assert(
    fc.property(fc.array(place, { maxLength: 200 }), (places) => {
      const rows = places.map((one, at) => pretendDevice(`gw-${at}`, { place: one, standing: at % 3 === 0 ? 'failed' : 'ok' }))
      const { total, placed, bounds, spots } = mapPart(rows, null, [])
      const count = places.filter((one) => one !== null).length
      expect([total, placed, spots.reduce((sum, spot) => sum + spot.count, 0)]).toEqual([places.length, count, count])
      expect(spots.length).toBeLessThanOrEqual(41 * 41)
      for (const { standings, count: of } of spots) expect(standings.reduce((a, b) => a + b, 0)).toBe(of)
      expect(bounds === null).toBe(count === 0)
      if (bounds === null) return
      const view = viewOf(bounds)
      const { lats, lons } = gridOf(view)
      expect(Math.max(lats.length, lons.length)).toBeLessThanOrEqual(9)
      for (const { lat, lon, count: of } of spots) {
        expect(lon * 10).toBeGreaterThanOrEqual(view.x)
        expect(lon * 10).toBeLessThanOrEqual(view.x + view.width)
        expect(-lat * 10).toBeGreaterThanOrEqual(view.y)
        expect(-lat * 10).toBeLessThanOrEqual(view.y + view.height)
        expect(radiusOf(of)).toBeLessThanOrEqual(30)
      }
    }),
    { numRuns: 60 },
  )
})

it('looks into a box, where what lay together comes apart', () => {
  const rows = [0, 1, 2, 3].map((at) => pretendDevice(`gw-${at}`, { place: { lat: 51 + (at % 2) * 0.05, lon: at < 2 ? 9 : 60 } }))
  const far = mapPart(rows, null, [])
  expect(far.spots.map(({ count }) => count)).toEqual([2, 2])
  const near = mapPart(rows, [50, 52, 8, 10], [])
  expect([near.total, near.placed, near.spots.map(({ names }) => names.join())]).toEqual([4, 2, ['gw-0', 'gw-1']])
})
