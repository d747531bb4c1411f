import { useEffect, useState } from 'preact/hooks'
import type { ProgressShown, RolloutPart } from '../../rollout-view.ts'
import { call } from '../session.ts'
import { useNarrow } from '../use-narrow.ts'
import { clockTime, duration, grouped, plural } from '../words.ts'

const [WIDE, NARROW, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 360, 190, 52, 96, 10, 26]
/** Asked again at most this often while numbers change. */
const PAUSE_MS = 3000

const LINES = [
  ['started', 'devices at work or further'],
  ['done', 'healthy for the soak time'],
  ['failed', 'failed or went back by themselves'],
] as const
const ALLOWED = 'more failures than this pause the rollout by rule; none where no limit counts yet'

interface ChartProps {
  /** of the rollout in the API */
  readonly path: string
  readonly decisions: RolloutPart['decisions']
  /** asked again when this changes */
  readonly version: string
}

/** How many devices had started, were done and had failed at each moment, how many failures would stop it, and when somebody decided something. */
export function ProgressChart({ path, decisions, version }: ChartProps) {
  const progress = useProgress(path, version)
  // in pixels of the screen, more or less: its words stay readable on a phone
  const width = useNarrow() ? NARROW : WIDE
  if (progress === null || progress.points.length === 0) return <p class="muted">Nothing has started yet.</p>
  const { points, members } = progress
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return null
  const span = Math.max(1, last.atMs - first.atMs)
  const x = (ms: number): number => LEFT + ((ms - first.atMs) / span) * (width - LEFT - RIGHT)
  const y = (count: number): number => HEIGHT - BOTTOM - (count / Math.max(1, members)) * (HEIGHT - TOP - BOTTOM)
  const marks = decisions.filter(({ by, atMs }) => by !== 'rule' && atMs >= first.atMs && atMs <= last.atMs)
  return (
    <figure class="progress">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={summaryOf(progress)}>
        {[0, 0.5, 1].map((share) => (
          <g key={share} class="grid">
            <line x1={LEFT} x2={width - RIGHT} y1={y(share * members)} y2={y(share * members)} />
            <text x={LEFT - 8} y={y(share * members) + 4} text-anchor="end">
              {grouped(Math.round(share * members))}
            </text>
          </g>
        ))}
        {marks.map((one) => (
          <g key={`${one.atMs} ${one.action}`} class="mark-line">
            <line x1={x(one.atMs)} x2={x(one.atMs)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <title>{`${one.action} by ${one.by}`}</title>
          </g>
        ))}
        {stretchesOf(points).map((stretch) => (
          <polyline
            key={stretch[0]?.atMs}
            class="line-allowed"
            points={stretch.map((one) => `${x(one.atMs).toFixed(1)},${y(one.allowed).toFixed(1)}`).join(' ')}
          />
        ))}
        {LINES.map(([name]) => (
          <polyline
            key={name}
            class={`line-${name}`}
            points={points.map((one) => `${x(one.atMs).toFixed(1)},${y(one[name]).toFixed(1)}`).join(' ')}
          />
        ))}
        {labelsOf(last, y).map(({ name, at }) => (
          <text key={name} class={`name-${name}`} x={width - RIGHT + 8} y={at}>
            {name === 'allowed' ? 'limit' : name} {grouped(last[name] ?? 0)}
          </text>
        ))}
        <text class="axis" x={LEFT} y={HEIGHT - 8}>
          {clockTime(first.atMs)}
        </text>
        <text class="axis" x={width - RIGHT} y={HEIGHT - 8} text-anchor="end">
          {clockTime(last.atMs)}, after {duration(span)}
        </text>
      </svg>
      <Twin points={points} />
    </figure>
  )
}

type Point = ProgressShown['points'][number]
type Name = Exclude<keyof Point, 'atMs'>
type Limited = Point & { readonly allowed: number }

/** The line of the limit has gaps where none counts. */
function stretchesOf(points: readonly Point[]): readonly (readonly Limited[])[] {
  const out: Limited[][] = [[]]
  for (const point of points) {
    if (point.allowed === null) out.push([])
    else out.at(-1)?.push({ ...point, allowed: point.allowed })
  }
  return out.filter(({ length }) => length > 0)
}

/** Names stand at the ends of their lines, one above the other where lines meet. */
function labelsOf(last: Point, y: (count: number) => number): readonly { readonly name: Name; readonly at: number }[] {
  const placed: { name: Name; at: number }[] = []
  const ends = [...LINES.map(([name]): [Name, number] => [name, last[name]]), ...(last.allowed === null ? [] : [['allowed', last.allowed] as const])]
  for (const [name, count] of ends.toSorted(([, a], [, b]) => b - a)) {
    const at = Math.max(y(count) + 4, (placed.at(-1)?.at ?? -Infinity) + 16)
    placed.push({ name, at })
  }
  const over = Math.max(0, (placed.at(-1)?.at ?? 0) - HEIGHT + 8)
  return placed.map(({ name, at }) => ({ name, at: at - over }))
}

function summaryOf({ members, points }: ProgressShown): string {
  const last = points.at(-1)
  const { started = 0, done = 0, failed = 0, allowed = null } = last ?? {}
  const limit = allowed === null ? '' : `; more than ${plural(allowed, 'failure')} would pause it`
  return `Of ${plural(members, 'device')} ${grouped(started)} have started, ${grouped(done)} are done, ${grouped(failed)} failed${limit}`
}

/** Ten moments of it, for whoever does not see the lines. */
function Twin({ points }: { readonly points: ProgressShown['points'] }) {
  const shown = points.filter((_, at) => at % Math.ceil(points.length / 10) === 0 || at === points.length - 1)
  return (
    <details class="groups">
      <summary>The same as a table</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">At</th>
            {LINES.map(([name, means]) => (
              <th key={name} scope="col" title={means}>
                {name}
              </th>
            ))}
            <th scope="col" title={ALLOWED}>
              failures allowed
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.atMs}>
              <th scope="row">{clockTime(one.atMs)}</th>
              {LINES.map(([name]) => (
                <td key={name} class="num">
                  {grouped(one[name])}
                </td>
              ))}
              <td class="num">{one.allowed === null ? '' : grouped(one.allowed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

/** The last one stays while the cloud is away. */
function useProgress(path: string, version: string): ProgressShown | null {
  const [progress, setProgress] = useState<ProgressShown | null>(null)
  const [askedAt, setAskedAt] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(
      () => {
        setAskedAt(Date.now())
        call(`${path}/progress`, {}, stop.signal)
          .then(async (response) => (response.ok ? setProgress((await response.json()) as ProgressShown) : undefined))
          .catch(() => undefined)
      },
      Math.max(0, askedAt + PAUSE_MS - Date.now()),
    )
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [path, version])
  return progress
}
