import { useLocation } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { MapPart, MapSpot, MapWish } from '../../live-protocol.ts'
import { STANDING_ORDER } from '../../vocabulary.ts'
import { StandingCells, StandingHeads } from '../parts/standing-columns.tsx'
import { useNarrow } from '../use-narrow.ts'
import { useWish } from '../use-wish.ts'
import { grouped, plural } from '../words.ts'
import land from './land.json'
import { gridOf, movedOn, projected, radiusOf, viewOf } from './projection.ts'
import type { View } from './projection.ts'

/** The devices of a filter on an outline of the land: no tiles, nothing from elsewhere. The list beside it says the same. */
export function DeviceMap({ query }: { readonly query: string }) {
  const [box, setBox] = useState<MapWish['box']>(null)
  const part = useWish({ part: 'map', query, box })
  if (part === undefined) return <p role="status">Loading the map…</p>
  if (part.bounds === null)
    return box !== null ? (
      <Whole onWhole={() => setBox(null)} />
    ) : part.total === 0 ? (
      <p class="empty">No device matches.</p>
    ) : (
      <p class="muted empty">
        None of {plural(part.total, 'device')} has a place. Say it with <code>kubectl annotate node NAME skerry.dev/location=51.31,9.48</code>
      </p>
    )
  return (
    <>
      {box === null ? null : <Whole onWhole={() => setBox(null)} />}
      <Drawn key={JSON.stringify(box)} close={box !== null} part={part} bounds={part.bounds} onBox={setBox} />
    </>
  )
}

function Whole({ onWhole }: { onWhole(): void }) {
  return (
    <p>
      <button type="button" onClick={onWhole}>
        The whole map
      </button>
    </p>
  )
}

interface DrawnProps {
  readonly close: boolean
  readonly part: MapPart
  readonly bounds: NonNullable<MapPart['bounds']>
  /** a place with several devices is looked at more closely */
  onBox(box: MapWish['box']): void
}

function Drawn({ part, bounds, close, onBox }: DrawnProps) {
  const [at, setAt] = useState(-1)
  const view = viewOf(bounds, close)
  // of the picture's own measure, for a pixel of a phone or a laptop
  const unit = view.width / (useNarrow() ? 340 : 1000)
  const spots = part.spots.toSorted((a, b) => b.count - a.count)
  const chosen = spots[at]
  const { route } = useLocation()
  const open = (spot: MapSpot): void => {
    if (spot.count === 1) return route(`/console/devices/${spot.names[0] ?? ''}`)
    const near = Math.max(bounds.north - bounds.south, bounds.east - bounds.west) / 30
    onBox([spot.lat - near, spot.lat + near, spot.lon - near, spot.lon + near])
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && chosen !== undefined) return open(chosen)
    const next = movedOn(event.key, at, spots.length)
    if (next === null) return
    event.preventDefault()
    setAt(next)
  }
  return (
    <div class="map">
      <svg
        viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
        role="listbox"
        tabIndex={0}
        aria-label={`Map of ${plural(part.placed, 'device')}; arrow keys move from place to place, the largest first, Enter opens one`}
        aria-activedescendant={chosen === undefined ? undefined : `spot-${at}`}
        onKeyDown={onKeyDown}
        onFocus={() => setAt(Math.max(0, at))}
      >
        <g aria-hidden="true">
          {land.path.map((d) => (
            <path key={d.slice(0, 24)} class="land" d={d} />
          ))}
          <Grid view={view} unit={unit} />
          {spots.length > NAMED ? null : spots.map((spot) => <Name key={`${spot.lat} ${spot.lon}`} spot={spot} unit={unit} />)}
        </g>
        {spots.map((spot, index) => {
          const { x, y } = projected(spot)
          return (
            <circle
              key={`${spot.lat} ${spot.lon}`}
              id={`spot-${index}`}
              role="option"
              aria-selected={index === at}
              aria-label={says(spot)}
              class={`spot dot-${worstOf(spot)} ${index === at ? 'chosen' : ''}`}
              cx={x}
              cy={y}
              r={radiusOf(spot.count) * unit}
              onMouseEnter={() => setAt(index)}
              onClick={() => open(spot)}
            />
          )
        })}
      </svg>
      <p class="field-says" role="status">
        {chosen === undefined ? <span class="muted">Point at a place to see which devices are there.</span> : says(chosen)}
      </p>
      {part.placed === part.total ? null : <p class="muted">{plural(part.total - part.placed, 'device')} of the filter without a place.</p>}
      <Twin spots={spots} />
    </div>
  )
}

/** Names stand beside places as long as there are few. */
const NAMED = 12

function Name({ spot, unit }: { readonly spot: MapSpot; readonly unit: number }) {
  const { x, y } = projected(spot)
  return (
    <text class="name" x={x + (radiusOf(spot.count) + 5) * unit} y={y + 4 * unit} font-size={12.5 * unit}>
      {spot.count === 1 ? spot.names[0] : plural(spot.count, 'device')}
    </text>
  )
}

function Grid({ view, unit }: { readonly view: View; readonly unit: number }) {
  const { lats, lons } = gridOf(view)
  const size = { 'font-size': 11 * unit }
  return (
    <g class="graticule">
      {lats.map((lat) => (
        <g key={lat}>
          <line x1={view.x} x2={view.x + view.width} y1={-lat * 10} y2={-lat * 10} />
          <text {...size} x={view.x + 4 * unit} y={-lat * 10 - 3 * unit}>
            {Math.abs(lat)}° {lat < 0 ? 'S' : 'N'}
          </text>
        </g>
      ))}
      {lons.map((lon) => (
        <g key={lon}>
          <line x1={lon * 10} x2={lon * 10} y1={view.y} y2={view.y + view.height} />
          <text {...size} x={lon * 10 + 3 * unit} y={view.y + view.height - 5 * unit}>
            {Math.abs(lon)}° {lon < 0 ? 'W' : 'E'}
          </text>
        </g>
      ))}
    </g>
  )
}

function worstOf({ standings }: MapSpot): string {
  return STANDING_ORDER[standings.findIndex((count) => count > 0)] ?? 'ok'
}

function says({ count, standings, names }: MapSpot): string {
  const states = STANDING_ORDER.flatMap((standing, at) => ((standings[at] ?? 0) > 0 ? [`${grouped(standings[at] ?? 0)} ${standing}`] : []))
  const more = count > names.length ? ` and ${grouped(count - names.length)} more` : ''
  return `${names.join(', ')}${more}: ${states.join(', ')}`
}

const MOST = 100

function Twin({ spots }: { readonly spots: readonly MapSpot[] }) {
  return (
    <details class="groups">
      <summary>The same as a table: {plural(spots.length, 'place')}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Devices by place">
        <table>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Devices</th>
              <StandingHeads />
            </tr>
          </thead>
          <tbody>
            {spots.slice(0, MOST).map((spot) => (
              <tr key={`${spot.lat} ${spot.lon}`}>
                <th scope="row">
                  {spot.lat.toFixed(3)}, {spot.lon.toFixed(3)}
                </th>
                <td>
                  {spot.names.map((name, at) => (
                    <span key={name}>
                      {at === 0 ? '' : ', '}
                      <a href={`/console/devices/${name}`}>{name}</a>
                    </span>
                  ))}
                  {spot.count > spot.names.length ? ` and ${grouped(spot.count - spot.names.length)} more` : ''}
                </td>
                <StandingCells standings={spot.standings} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {spots.length > MOST ? <p class="muted">and {plural(spots.length - MOST, 'more place')}: narrow the filter.</p> : null}
    </details>
  )
}
