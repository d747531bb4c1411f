/** The same picture as a table: node, CPUs, workload, PIDs. For screen readers, for terminals, and for whoever likes text better. */
import { formatIdList } from './id-list.ts'
import type { TopologyFacts } from './topology-facts.ts'
import { cpuStates, isShown, letterOf } from './cpu-states.ts'
import type { PictureView } from './cpu-states.ts'
import { formatBytes } from './units.ts'

export interface TwinRow {
  readonly node: string
  /** memory and distances; only in the first row of a node */
  readonly about: string
  readonly cpus: string
  readonly workload: string
  readonly pids: string
}

export function topologyTwin(facts: TopologyFacts, view: PictureView): readonly TwinRow[] {
  const states = cpuStates(facts, view)
  return [
    ...facts.nodes.flatMap((node) => {
      const groups = new Map<string, { readonly cpus: number[]; readonly place: number | null }>()
      for (const [cpu, { node: on, places, look, says }] of states) {
        if (on !== node.id) continue
        const words = says.split('; ').slice(1).join('; ')
        const key = places.length > 0 ? `${places.join()} ${look}` : words
        const group = groups.get(key) ?? { cpus: [], place: places[0] ?? null }
        group.cpus.push(cpu)
        groups.set(key, group)
      }
      const rows = [...groups.values()].map(({ cpus, place }): Omit<TwinRow, 'node' | 'about'> => {
        const says = (states.get(cpus[0] ?? -1)?.says ?? '').split('; ').slice(1)
        const own = place === null ? undefined : facts.places[place]
        const faults = says.filter((part) => part.startsWith('VIOLATION'))
        const workload = own === undefined ? says.join('; ') : [`${letterOf(place ?? 0)} ${own.name}${whenWords(own.when)}`, ...faults].join('; ')
        return { cpus: formatIdList(cpus), workload, pids: own?.pids ?? '' }
      })
      const filled = rows.length === 0 ? [{ cpus: 'none', workload: node.kind, pids: '' }] : rows
      return filled.map((row, at): TwinRow => ({ node: String(node.id), about: at === 0 ? aboutNode(facts, node) : '', ...row }))
    }),
    ...facts.places.flatMap((place, at): readonly TwinRow[] => {
      if (!isShown(place, view) || place.cpus !== '') return []
      const gpus = place.gpus.length === 0 ? '' : `, GPUs ${place.gpus.join(' ')}`
      const workload = `${letterOf(at)} ${place.name}${whenWords(place.when)}${gpus}`
      return [{ node: place.memoryNodes === '' ? 'any' : place.memoryNodes, about: '', cpus: 'shared', workload, pids: place.pids }]
    }),
  ]
}

/** `31Gi; GPU A100; distances 21 to node 1` */
function aboutNode(facts: TopologyFacts, node: TopologyFacts['nodes'][number]): string {
  const devices = facts.devices.filter((one) => one.node === node.id).map(({ kind, label }) => `${kind} ${label}`)
  const far = node.distances.flatMap((distance, at) => {
    const other = facts.nodes[at]
    return other === undefined || other.id === node.id ? [] : [`${distance} to node ${other.id}`]
  })
  const huge = node.hugeBytes > 0 ? `${readable(node.hugeBytes)} in huge pages` : ''
  const memory = node.memoryBytes === null ? 'memory not known' : readable(node.memoryBytes)
  return [memory, huge, ...devices, far.length === 0 ? '' : `distances ${far.join(', ')}`].filter((part) => part !== '').join('; ')
}

function readable(bytes: number): string {
  const exact = formatBytes(bytes)
  return exact.length <= 6 ? exact : `${Math.round((bytes / 2 ** 30) * 10) / 10}Gi`
}

function whenWords(when: 'now' | 'plan' | 'both'): string {
  return when === 'plan' ? ' (would go here)' : when === 'now' ? ' (goes away)' : ''
}
