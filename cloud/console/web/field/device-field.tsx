/** Every device a dot: grouped, scrolled, read by mouse and keyboard; the same numbers as a table below. */
import { useLocation } from 'preact-iso'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { DeviceRow } from '../../view-model.ts'
import { STANDINGS, STANDING_ORDER } from '../../vocabulary.ts'
import type { FieldBytes } from '../field-bytes.ts'
import { StandingMark } from '../parts/mark.tsx'
import { useWish } from '../use-wish.ts'
import { plural } from '../words.ts'
import { drawField, usePalette } from './draw.ts'
import { GroupTable } from './group-table.tsx'
import { deviceAt, groupAt, layoutField, placeOf, stepFrom } from './layout.ts'

interface DeviceFieldProps {
  readonly query: string
  /** label that groups; '' = one group */
  readonly by: string
  onGroup(label: string): void
}

export function DeviceField({ query, by, onGroup }: DeviceFieldProps) {
  const field = useWish({ part: 'field', query, by })
  if (field === undefined) return <p role="status">Loading the field…</p>
  if (field.bytes.length === 0) return <p class="muted empty">No device matches.</p>
  return (
    <>
      <Picture field={field} query={query} by={by} onGroup={onGroup} />
      <Legend />
      {by === '' ? null : <GroupTable field={field} by={by} onGroup={onGroup} />}
    </>
  )
}

interface PictureProps extends DeviceFieldProps {
  readonly field: FieldBytes
}

function Picture({ field, query, by, onGroup }: PictureProps) {
  const { route } = useLocation()
  const { box, size } = useSize()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [top, setTop] = useState(0)
  const [at, setAt] = useState<number | null>(null)
  const palette = usePalette()
  const counts = field.groups.map((group) => group.count).join()
  const layout = useMemo(
    () =>
      layoutField(
        field.groups.map((group) => group.count),
        size.width,
      ),
    [counts, size.width],
  )
  useLayoutEffect(() => {
    if (canvas.current !== null && size.width > 0) drawField(canvas.current, { field, layout, top, at, palette, ...size })
  }, [field, layout, top, at, palette, size.height])
  const seen = useDeviceAt(query, by, at)
  const pointAt = (event: MouseEvent): { readonly x: number; readonly y: number } => {
    const rect = (event.currentTarget as Element).getBoundingClientRect()
    return { x: event.clientX - rect.left, y: event.clientY - rect.top + top }
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && seen !== undefined) return route(`/console/devices/${seen.name}`)
    if (!/^(Arrow|Home|End)/.test(event.key)) return
    event.preventDefault()
    const next = at === null ? 0 : stepFrom(layout, at, event.key)
    setAt(next)
    const place = placeOf(layout, next)
    if (place !== null && box.current !== null && (place.y < top || place.y > top + size.height - 20))
      box.current.scrollTop = place.y - size.height / 2
  }
  return (
    <div class="field">
      <div
        class="field-box"
        ref={box}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        style={{ height: `${Math.min(560, layout.height + 4)}px` }}
      >
        <canvas
          ref={canvas}
          role="img"
          tabIndex={0}
          aria-label={`${plural(field.bytes.length, 'device')} as dots; arrow keys move from one to the next, Enter opens it`}
          onMouseMove={(event) => setAt(deviceAt(layout, pointAt(event).x, pointAt(event).y))}
          onMouseLeave={() => setAt(null)}
          onKeyDown={onKeyDown}
          onClick={(event) => {
            const { x, y } = pointAt(event)
            const group = by === '' ? null : groupAt(layout, x, y)
            const label = group === null ? undefined : field.groups[group]?.label
            if (deviceAt(layout, x, y) !== null && seen !== undefined) route(`/console/devices/${seen.name}`)
            else if (label !== undefined) onGroup(label)
          }}
        />
        <div role="presentation" style={{ height: `${Math.max(0, layout.height - size.height)}px` }} />
      </div>
      <p class="field-says" role="status">
        {seen === undefined ? (
          <span class="muted">{at === null ? 'Point at a dot to see which device it is.' : '…'}</span>
        ) : (
          <Readout row={seen} by={by} />
        )}
      </p>
    </div>
  )
}

function useSize() {
  const box = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const watch = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  return { box, size }
}

/** The device at a place of the field: a list in the same order knows it. */
function useDeviceAt(query: string, by: string, at: number | null): DeviceRow | undefined {
  const list = useWish({ part: 'list', table: 'devices', query, sort: by === '' ? 'name' : `label:${by}`, offset: at ?? 0, limit: 1, facets: false })
  return at !== null && list?.offset === at ? (list.rows[0] as DeviceRow | undefined) : undefined
}

function Readout({ row, by }: { readonly row: DeviceRow; readonly by: string }) {
  const [why] = [...row.podCauses, ...row.causes]
  return (
    <>
      <StandingMark standing={row.standing} /> <b>{row.name}</b>
      {by === '' || row.labels[by] === undefined ? '' : `, ${row.labels[by] ?? ''}`}: {row.standing}
      {why === undefined || row.standing === 'offline' ? '' : `. ${why.says}`}
    </>
  )
}

function Legend() {
  return (
    <ul class="legend" aria-label="What the dots mean">
      {STANDING_ORDER.map((standing) => (
        <li key={standing} title={STANDINGS[standing].means}>
          <StandingMark standing={standing} /> {standing}
        </li>
      ))}
    </ul>
  )
}
