import type { SummaryPart } from '../../live-protocol.ts'
import type { Tone } from '../../view-model.ts'
import { grouped } from '../words.ts'
import { Mark } from './mark.tsx'
import { Spark } from './spark.tsx'

interface Tile {
  readonly label: string
  readonly tone: Tone
  readonly count: number
  readonly href: string
  readonly note: string
  readonly day: readonly number[]
}

/** The fleet in numbers, the worst first; each leads to exactly its members. */
export function Tiles({ summary }: { readonly summary: SummaryPart }) {
  return (
    <ul class="tiles" aria-label="The fleet in numbers">
      {tilesOf(summary).map((tile) => (
        <li key={tile.label}>
          <a class={tile.count === 0 ? 'unknown' : tile.tone} href={tile.href}>
            <span class="tile-label">
              <Mark tone={tile.tone} /> {tile.label}
            </span>
            <strong>{grouped(tile.count)}</strong>
            <span class="tile-note">{tile.note}</span>
            <Spark values={tile.day} label={`${tile.label} in the last day`} />
          </a>
        </li>
      ))}
    </ul>
  )
}

function tilesOf({ standings, podsNotPlaced, newlyOffline, history, devices }: SummaryPart): readonly Tile[] {
  const at = (query: string): string => `/console/devices?q=${encodeURIComponent(query)}`
  const silent = standings.offline + standings['never-seen']
  return [
    { label: 'Failed', tone: 'bad', count: standings.failed, href: at('state:failed'), note: 'devices', day: history.standings.failed ?? [] },
    { label: 'Not placed', tone: 'bad', count: podsNotPlaced, href: '/console/pods?q=state%3Anot-placed', note: 'pods', day: history.notPlaced },
    { label: 'Degraded', tone: 'warn', count: standings.degraded, href: at('state:degraded'), note: 'devices', day: [] },
    {
      label: 'Offline',
      tone: 'unknown',
      count: silent,
      href: at('state:offline,never-seen'),
      note: newlyOffline > 0 ? `${grouped(newlyOffline)} in the last hour` : 'devices',
      day: history.standings.offline ?? [],
    },
    {
      label: 'Updating',
      tone: 'busy',
      count: standings.updating,
      href: at('state:updating'),
      note: 'devices',
      day: history.standings.updating ?? [],
    },
    { label: 'OK', tone: 'ok', count: standings.ok, href: at('state:ok'), note: `of ${grouped(devices)}`, day: history.standings.ok ?? [] },
  ]
}
