/**
 * The hardware of a device as a drawing, lstopo-like: one box per NUMA node with its memory, its CPUs in SMT columns grouped by
 * cache, and the devices that hang on it. Pure layout in rectangles, so that both web faces only have to put them on the page.
 */
import { formatIdList, parseIdList } from './id-list.ts'
import { cpuStates, isShown, letterOf, sentenceOf } from './cpu-states.ts'
import type { CpuState, PictureView } from './cpu-states.ts'
import type { NodeFacts, TopologyFacts } from './topology-facts.ts'

export const PICTURE_VIEWS: readonly (readonly [PictureView, string])[] = [
  ['now', 'Now'],
  ['plan', 'Plan'],
  ['diff', 'Diff'],
]

export interface Rect {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  /** words of the style sheet, such as `cpu own ring` */
  readonly look: string
  /** index of the workload that fills it; null = none */
  readonly place: number | null
  readonly text: string
  /** the whole truth in words; '' = only decoration */
  readonly says: string
}

export interface NodeBox {
  /** null = what hangs on no node in particular */
  readonly id: number | null
  readonly title: string
  readonly height: number
  readonly rects: readonly Rect[]
  /** `21 to node 1`, or '' */
  readonly distances: string
}

/** All boxes have this width; what the unit is, the face decides. */
export const BOX_WIDTH = 320
export const HUES = 8
export const PATTERNS = 4
/** Above it a core is one square. */
const THREADS_DRAWN = 1024

const EDGE = 8
const SQUARE = 18
const GAP = 2

/** Neighbours differ in both, and those of one hue in the pattern. */
export function fillOf(place: number): { readonly hue: number; readonly pattern: number } {
  return { hue: place % HUES, pattern: (place + Math.floor(place / HUES)) % PATTERNS }
}

/** Where a key leads from `at` (-1 = nowhere yet) among `count` things; null = it leads nowhere. */
export function movedTo(key: string, at: number, count: number): number | null {
  const last = count - 1
  if (count === 0) return null
  if (key === 'ArrowRight' || key === 'ArrowDown') return Math.min(last, at + 1)
  if (key === 'ArrowLeft' || key === 'ArrowUp') return Math.max(0, at - 1)
  return key === 'Home' ? 0 : key === 'End' ? last : null
}

export function topologyPicture(facts: TopologyFacts, view: PictureView): readonly NodeBox[] {
  const cpus = cpuStates(facts, view)
  const boxes = facts.nodes.map((node) => nodeBox(facts, node, cpus, view))
  const loose = facts.devices.filter(({ node }) => node === null || !facts.nodes.some(({ id }) => id === node))
  if (loose.length === 0) return boxes
  const drawn = deviceRects(facts, loose, EDGE, view)
  return [...boxes, { id: null, title: 'on no node in particular', height: drawn.end, rects: drawn.rects, distances: '' }]
}

function nodeBox(facts: TopologyFacts, node: NodeFacts, cpus: ReadonlyMap<number, CpuState>, view: PictureView): NodeBox {
  const memory = memoryRects(facts, node, view)
  const squares = cpuRects(facts, node, cpus, memory.end)
  const here = facts.devices.filter((one) => one.node === node.id)
  const devices = deviceRects(facts, here, squares.end, view)
  const distances = node.distances.flatMap((distance, at) => {
    const other = facts.nodes[at]
    return other === undefined || other.id === node.id ? [] : [`${distance} to node ${other.id}`]
  })
  const title = `node ${node.id}${node.kind === '' ? '' : `, ${node.kind}`}`
  return { id: node.id, title, height: devices.end, rects: [...memory.rects, ...squares.rects, ...devices.rects], distances: distances.join(', ') }
}

interface Drawn {
  readonly rects: readonly Rect[]
  readonly end: number
}

/** What workloads asked of this node, huge pages, and the rest. */
function memoryRects({ places }: TopologyFacts, { id, memoryBytes, hugeBytes }: NodeFacts, view: PictureView): Drawn {
  const full = BOX_WIDTH - 2 * EDGE
  const base = { y: EDGE, h: 14, text: '' }
  const track: Rect = { ...base, x: EDGE, w: full, look: 'track', place: null, says: memoryBytes === null ? `memory of node ${id}: not known` : '' }
  if (memoryBytes === null || memoryBytes <= 0) return { rects: [track], end: EDGE + 22 }
  const rects = [track]
  let x = EDGE
  const part = (bytes: number, look: string, place: number | null, says: string, text: string): void => {
    const w = Math.min(full + EDGE - x, Math.max(2, Math.round((full * bytes) / memoryBytes)))
    if (bytes > 0 && w > 0) rects.push({ ...base, x, w, look, place, says, text: w > 12 ? text : '' })
    x += bytes > 0 ? w : 0
  }
  part(hugeBytes, 'huge', null, `huge pages on node ${id}`, '')
  places.forEach((place, index) => {
    const nodes = parseIdList(place.memoryNodes) ?? []
    if (!isShown(place, view) || place.memoryBytes === null || !nodes.includes(id)) return
    part(place.memoryBytes / nodes.length, 'memory', index, `memory of ${letterOf(index)} = ${place.name} on node ${id}`, letterOf(index))
  })
  return { rects, end: EDGE + 22 }
}

/** Cores as columns of their threads, filled row by row; a cache is a frame around its cores. */
function cpuRects(facts: TopologyFacts, node: NodeFacts, cpus: ReadonlyMap<number, CpuState>, top: number): Drawn {
  const mine = new Set(parseIdList(node.cpus))
  if (mine.size === 0) return { rects: [], end: top }
  const rects: Rect[] = []
  let y = top
  for (const group of groupsOf(facts.caches, mine)) {
    const framed = group.cache
    const cores = coresOf(facts.cores, group.cpus, cpus.size > THREADS_DRAWN)
    const tall = Math.max(1, ...cores.map((core) => core.length))
    const step = SQUARE + GAP
    const columns = Math.floor((BOX_WIDTH - 2 * EDGE - 8) / step)
    const lines = Math.ceil(cores.length / columns)
    const lineHeight = tall * step + 4
    const head = framed ? 12 : 0
    if (framed) {
      const says = `L3 cache of CPUs ${formatIdList(group.cpus)}`
      rects.push({ x: EDGE, y, w: BOX_WIDTH - 2 * EDGE, h: head + lines * lineHeight + 2, look: 'cache', place: null, text: 'L3', says })
    }
    cores.forEach((core, at) =>
      core.forEach((cpu, thread) => {
        const state = cpus.get(cpu)
        const x = EDGE + 4 + (at % columns) * step
        const place = state?.places[0] ?? null
        const row = y + head + 2 + Math.floor(at / columns) * lineHeight + thread * step
        rects.push({ x, y: row, w: SQUARE, h: SQUARE, look: state?.look ?? 'cpu', place, text: state?.mark ?? '', says: state?.says ?? '' })
      }),
    )
    y += head + lines * lineHeight + 6
  }
  return { rects, end: y + 2 }
}

function groupsOf(caches: readonly string[], mine: ReadonlySet<number>): readonly { readonly cache: boolean; readonly cpus: ReadonlySet<number> }[] {
  const groups = caches.map((list) => new Set((parseIdList(list) ?? []).filter((cpu) => mine.has(cpu)))).filter(({ size }) => size > 0)
  const known = new Set(groups.flatMap((group) => [...group]))
  const rest = new Set([...mine].filter((cpu) => !known.has(cpu)))
  return [...groups.map((cpus) => ({ cache: true, cpus })), ...(rest.size === 0 ? [] : [{ cache: false, cpus: rest }])]
}

/** CPUs by core; where that is not known each is its own. `one`: only the first of each. */
function coresOf(cores: readonly string[], mine: ReadonlySet<number>, one: boolean): readonly (readonly number[])[] {
  const known = cores.map((list) => (parseIdList(list) ?? []).filter((cpu) => mine.has(cpu))).filter(({ length }) => length > 0)
  const seen = new Set(known.flat())
  const all = [...known, ...[...mine].filter((cpu) => !seen.has(cpu)).map((cpu) => [cpu])].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
  return one ? all.map((core) => core.slice(0, 1)) : all
}

/** At most this many are drawn in one box; the table has them all. */
const DEVICES_DRAWN = 16

function deviceRects({ places }: TopologyFacts, devices: readonly TopologyFacts['devices'][number][], top: number, view: PictureView): Drawn {
  const w = (BOX_WIDTH - 2 * EDGE - 4) / 2
  const rects = devices.slice(0, DEVICES_DRAWN).map(({ id, label, kind }, at): Rect => {
    const place = places.findIndex((one) => isShown(one, view) && one.gpus.includes(id))
    const word = kind === 'gpu' ? 'GPU' : kind === 'nic' ? 'NIC' : 'NPU'
    const owner = place < 0 ? '' : `; ${letterOf(place)} = ${sentenceOf(places[place])}`
    const name = `${place < 0 ? '' : `${letterOf(place)} `}${word} ${label}`
    return {
      x: EDGE + (at % 2) * (w + 4),
      y: top + Math.floor(at / 2) * 24,
      w,
      h: 20,
      look: `device${place >= 0 && places[place]?.when === 'plan' ? ' ghost' : ''}`,
      place: place < 0 ? null : place,
      text: name.slice(0, 22).trim(),
      // begins with what is written on it
      says: `${name} (${id})${owner}`,
    }
  })
  return { rects, end: top + Math.ceil(rects.length / 2) * 24 + (rects.length > 0 ? 4 : 0) }
}
