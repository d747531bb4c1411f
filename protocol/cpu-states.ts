/** What each CPU of a device is, in one view: whose, in which state, and what is wrong with that. For the picture and the table alike. */
import { parseIdList } from './id-list.ts'
import type { NodeFacts, PlaceFacts, TopologyFacts } from './topology-facts.ts'

export type PictureView = 'now' | 'plan' | 'diff'

/** A, B, …, Z, A1, B1, … */
export function letterOf(place: number): string {
  return String.fromCharCode(65 + (place % 26)) + (place < 26 ? '' : String(Math.floor(place / 26)))
}

/** Is the workload shown in this view? In Diff everything is. */
export function isShown({ when }: PlaceFacts, view: PictureView): boolean {
  return view === 'diff' || when === 'both' || when === view
}

export interface CpuState {
  readonly node: number
  readonly places: readonly number[]
  readonly look: string
  /** letter and signs, short enough for a square */
  readonly mark: string
  readonly says: string
}

/** What each CPU is, by id; also for the table beside the picture. */
export function cpuStates(facts: TopologyFacts, view: PictureView): ReadonlyMap<number, CpuState> {
  const online = new Set(parseIdList(facts.onlineCpus))
  const usable = facts.usableCpus === null ? online : new Set(parseIdList(facts.usableCpus))
  const reserved = new Set(parseIdList(facts.reservedCpus))
  const owners = new Map<number, number[]>()
  facts.places.forEach((place, index) => {
    if (isShown(place, view)) for (const cpu of parseIdList(place.cpus) ?? []) owners.set(cpu, [...(owners.get(cpu) ?? []), index])
  })
  const out = new Map<number, CpuState>()
  for (const node of facts.nodes)
    for (const cpu of parseIdList(node.cpus) ?? []) {
      const places = owners.get(cpu) ?? []
      const faults = faultsOf(facts, node, places, !online.has(cpu) || !usable.has(cpu))
      const [first] = places.map((place) => facts.places[place])
      const change = view !== 'diff' || first === undefined ? '' : first.when === 'plan' ? ' add' : first.when === 'now' ? ' take' : ''
      const state = !online.has(cpu) ? 'off' : !usable.has(cpu) ? 'barred' : places.length > 0 ? 'own' : 'free'
      const ghost = view !== 'now' && first?.when === 'plan' ? ' ghost' : ''
      const sign = change === ' add' ? '+' : change === ' take' ? '\u2212' : ''
      const mark = places.length === 0 ? (state === 'barred' ? '\u00d7' : '') : `${sign}${letterOf(places[0] ?? 0)}${faults.length > 0 ? '!' : ''}`
      const look = `cpu ${state}${reserved.has(cpu) ? ' ring' : ''}${ghost}${change}${faults.length > 0 ? ' bad' : ''}`
      const words = [
        `CPU ${cpu}, node ${node.id}`,
        ...places.map((place) => `${letterOf(place)} = ${sentenceOf(facts.places[place])}`),
        ...(places.length > 0 ? [] : [STATE_WORDS[state] ?? '']),
        ...(reserved.has(cpu) ? ['kept from owners for the device itself'] : []),
        ...faults,
      ]
      out.set(cpu, { node: node.id, places, look, mark, says: words.join('; ') })
    }
  return out
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  off: 'offline',
  barred: 'not for workloads (control group of the agent)',
  free: 'shared by workloads without CPUs of their own',
}

export function sentenceOf(place: PlaceFacts | undefined): string {
  if (place === undefined) return ''
  return `${place.name}${place.when === 'plan' ? ' (would go here)' : ''}${place.pids === '' ? '' : `, PIDs ${place.pids}`}`
}

function faultsOf({ places: all }: TopologyFacts, node: NodeFacts, places: readonly number[], gone: boolean): readonly string[] {
  if (places.length === 0) return []
  const away = places.filter((place) => {
    const nodes = parseIdList(all[place]?.memoryNodes ?? '') ?? []
    return nodes.length > 0 && !nodes.includes(node.id)
  })
  return [
    ...(gone ? ['VIOLATION: given to a workload, and cannot be used'] : []),
    ...(places.length > 1 ? ['VIOLATION: two workloads have it for themselves'] : []),
    ...away.map((place) => `VIOLATION: the memory of ${letterOf(place)} is on node ${all[place]?.memoryNodes ?? ''}`),
  ]
}
