import { useState } from 'preact/hooks'
import { soundFacts } from '../topology-facts.ts'
import { isShown, letterOf } from '../cpu-states.ts'
import type { PictureView } from '../cpu-states.ts'
import { BOX_WIDTH, fillOf, movedTo, PICTURE_VIEWS, topologyPicture } from '../topology-picture.ts'
import type { NodeBox, Rect } from '../topology-picture.ts'
import { topologyTwin } from '../topology-twin.ts'

/** NUMA nodes as boxes: memory, CPUs in SMT columns, devices. What a square is, is told by tap, hover and arrow keys; a table says it all. */
export function Picture({ facts: given }: { readonly facts: unknown }) {
  const facts = soundFacts(given)
  const [view, setView] = useState<PictureView>('now')
  const [said, say] = useState('')
  const [only, setOnly] = useState<number | null>(null)
  return (
    <div class="topo">
      <Patterns />
      <div class="views" role="group" aria-label="Which state">
        {PICTURE_VIEWS.map(([name, label]) => (
          <button key={name} type="button" aria-pressed={view === name} onClick={() => setView(name)}>
            {label}
          </button>
        ))}
      </div>
      <div class="nodes">
        {topologyPicture(facts, view).map((box) => (
          <Box key={String(box.id)} box={box} only={only} say={say} />
        ))}
      </div>
      <p class="said small" role="status">
        {said === '' ? 'Tap a square, or walk with the arrow keys, to hear what it is.' : said}
      </p>
      <p class="legend">
        {facts.places.map((place, index) =>
          isShown(place, view) ? (
            <button key={place.name} type="button" aria-pressed={only === index} onClick={() => setOnly(only === index ? null : index)}>
              <span class={`key hue${fillOf(index).hue}`}>{letterOf(index)}</span> {place.name}
            </button>
          ) : null,
        )}
      </p>
      <details>
        <summary>Topology as a table</summary>
        <Twin rows={topologyTwin(facts, view)} />
      </details>
    </div>
  )
}

interface BoxProps {
  readonly box: NodeBox
  readonly only: number | null
  say(text: string): void
}

function Box({ box, only, say }: BoxProps) {
  const [at, setAt] = useState(-1)
  const told = box.rects.filter(({ says }) => says !== '')
  const id = (rect: Rect): string => `topo-${box.id ?? 'loose'}-${told.indexOf(rect)}`
  const go = (next: number): void => {
    setAt(next)
    say(told[next]?.says ?? '')
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = movedTo(event.key, at, told.length)
    if (next === null) return
    event.preventDefault()
    go(next)
  }
  const walk = { role: 'listbox' as const, tabIndex: 0, onKeyDown, onFocus: () => go(Math.max(0, at)) }
  const chosen = told[at]
  return (
    <figure class="node">
      <figcaption>
        {box.title} <span>{box.distances}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${BOX_WIDTH} ${box.height}`}
        aria-label={`${box.title}: memory, CPUs, devices`}
        {...(told.length === 0 ? { role: 'img' as const } : walk)}
        {...(chosen === undefined ? {} : { 'aria-activedescendant': id(chosen) })}
      >
        {box.rects.map((rect, index) => (
          <Shape
            key={index}
            rect={rect}
            id={id(rect)}
            chosen={rect === chosen}
            dim={only !== null && rect.place !== only}
            pick={() => go(told.indexOf(rect))}
          />
        ))}
      </svg>
    </figure>
  )
}

interface ShapeProps {
  readonly rect: Rect
  readonly id: string
  readonly chosen: boolean
  readonly dim: boolean
  pick(): void
}

function Shape({ rect: { x, y, w, h, look, place, text, says }, id, chosen, dim, pick }: ShapeProps) {
  const { hue, pattern } = fillOf(place ?? 0)
  const name = `${look}${place === null ? '' : ` hue${hue}`}${dim ? ' dim' : ''}${chosen ? ' chosen' : ''}`
  const told = { role: 'option' as const, id, 'aria-label': says, 'aria-selected': chosen, onClick: pick, onMouseEnter: pick }
  return (
    <g class={name} {...(says === '' ? { 'aria-hidden': true } : told)}>
      <rect x={x} y={y} width={w} height={h} />
      {place === null || pattern === 0 ? null : <rect class="pattern" x={x} y={y} width={w} height={h} style={{ fill: `url(#topo-p${pattern})` }} />}
      {text === '' ? null : (
        <text x={look === 'cache' ? x + 12 : x + w / 2} y={look === 'cache' ? y + 9 : y + h / 2 + 4}>
          {text}
        </text>
      )}
    </g>
  )
}

/** Told apart without colour: slanted lines, dots, bars. */
function Patterns() {
  return (
    <svg class="patterns" width="0" height="0" aria-hidden="true">
      <defs>
        {['M-1 5L5 -1M1 7L7 1', 'M1 2h2M4 5h2', 'M0 3h6'].map((d, at) => (
          <pattern key={d} id={`topo-p${at + 1}`} width="6" height="6" patternUnits="userSpaceOnUse">
            <path d={d} />
          </pattern>
        ))}
      </defs>
    </svg>
  )
}

function Twin({ rows }: { readonly rows: ReturnType<typeof topologyTwin> }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Topology as a table">
      <table>
        <thead>
          <tr>
            {['Node', 'CPUs', 'Workload', 'PIDs'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node, about, cpus, workload, pids }, index) => (
            <tr key={index}>
              <th scope="row">
                {node} <small>{about}</small>
              </th>
              <td>{cpus}</td>
              <td>{workload}</td>
              <td>{pids}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
