/**
 * All nodes as the scheduler knows them, with sums over their pods. INVARIANTS: `nodes` is sorted by name, so that the first
 * of several equal nodes is the one with the smallest name; nothing in it is changed except through `set` and `remove`;
 * `supposing` leaves everything as it was.
 */
import { compareText } from '../meta.ts'
import type { Labels } from '../../resources/label-selector.ts'
import { ChangeLog } from './change-log.ts'
import { CarriedTerms } from './carried-terms.ts'
import type { Carried, Counted, NodeInfo, Snapshot, WorldView } from './framework.ts'
import { Refusals } from './refusals.ts'
import type { Avoided } from './refusals.ts'
import { Tally } from './tally.ts'

/** Node entries of all tallies together; the one used longest ago is forgotten first. */
const TALLY_CELLS = 8_000_000

export class World implements WorldView {
  readonly #byName = new Map<string, NodeInfo>()
  readonly #place = new Map<string, number>()
  #nodes: NodeInfo[] = []
  #sorted = true
  readonly #log = new ChangeLog()
  readonly #tallies = new Map<string, { readonly tally: Tally; mark: number }>()
  #carriedMark = -1
  readonly #carried = new CarriedTerms()
  readonly #namespaces = new Map<string, Labels>()
  /** change it only with `refusalsChanged` */
  readonly refusals = new Refusals()
  /** changes with every change of nodes or namespaces */
  version = 0
  /** where the last search stopped, when not all nodes are looked at */
  searchFrom = 0

  constructor(nodes: Iterable<NodeInfo> = [], namespaces: Iterable<readonly [string, Labels]> = []) {
    for (const node of nodes) this.set(node)
    for (const [name, labels] of namespaces) this.#namespaces.set(name, labels)
  }

  get byName(): Snapshot {
    return this.#byName
  }

  /** sorted by name */
  get nodes(): readonly NodeInfo[] {
    if (!this.#sorted) {
      this.#nodes = [...this.#byName.values()].sort((a, b) => compareText(a.name, b.name))
      this.#place.clear()
      for (const [index, node] of this.#nodes.entries()) this.#place.set(node.name, index)
      this.#sorted = true
      this.#log.reset()
    }
    return this.#nodes
  }

  get(name: string): NodeInfo | undefined {
    return this.#byName.get(name)
  }

  /** Adds a node or replaces the one of its name. */
  set(node: NodeInfo): void {
    this.version += 1
    const known = this.#byName.has(node.name)
    this.#byName.set(node.name, node)
    const index = known && this.#sorted ? this.#place.get(node.name) : undefined
    if (index === undefined) this.#sorted = false
    else {
      this.#nodes[index] = node
      this.#log.touch(index)
    }
  }

  remove(name: string): void {
    this.version += 1
    if (this.#byName.delete(name)) this.#sorted = false
  }

  setNamespace(name: string, labels: Labels | null): void {
    this.version += 1
    if (labels === null) this.#namespaces.delete(name)
    else this.#namespaces.set(name, labels)
    // tallies may have counted by the old labels
    this.#tallies.clear()
  }

  /** What was decided before may be decided otherwise now. */
  refusalsChanged(): void {
    this.version += 1
  }

  refusedBy(owner: string): ReadonlyMap<string, Avoided> | undefined {
    return this.refusals.of(owner)
  }

  readonly namespaceLabels = (name: string): Labels => this.#namespaces.get(name) ?? {}

  /** The answer of `ask` in a world where these nodes stand in place of those of their names. */
  supposing<T>(instead: readonly NodeInfo[], ask: () => T): T {
    const { version } = this
    const before = instead.map((node) => this.#byName.get(node.name)).filter((node) => node !== undefined)
    for (const node of instead) if (this.#byName.has(node.name)) this.set(node)
    try {
      return ask()
    } finally {
      for (const node of before) this.set(node)
      this.version = version
    }
  }

  /** Places in `nodes` that changed since the mark of an earlier answer; null = any may have. Begin with -1. */
  changedSince(mark: number): { readonly places: readonly number[] | null; readonly mark: number } {
    const { nodes } = this
    return { places: this.#log.since(mark, nodes.length), mark: this.#log.mark }
  }

  /** A current tally. `key` names everything that `of` depends on beside the node. */
  tally(key: string, of: (node: NodeInfo) => Counted): Tally {
    const known = this.#tallies.get(key)
    const entry = known ?? { tally: new Tally(of), mark: -1 }
    // the map is ordered by last use
    this.#tallies.delete(key)
    this.#tallies.set(key, entry)
    const { places, mark } = this.changedSince(entry.mark)
    if (places === null || places.length > 0) entry.tally.refresh(this.nodes, places)
    entry.mark = mark
    if (known === undefined) this.#forget()
    return entry.tally
  }

  carried(): Iterable<Carried> {
    const { places, mark } = this.changedSince(this.#carriedMark)
    this.#carriedMark = mark
    return this.#carried.refresh(this.nodes, places)
  }

  #forget(): void {
    let cells = 0
    for (const { tally } of this.#tallies.values()) cells += tally.size
    for (const [key, { tally }] of this.#tallies) {
      if (cells <= TALLY_CELLS) return
      cells -= tally.size
      this.#tallies.delete(key)
    }
  }
}
