/**
 * A rollout's world without a cloud: what is stored, devices that follow what is stored, and a clock. `commit` writes as the
 * controller does (status, then members by chunk) and may be cut off after any write.
 */
import type { TelemetrySample } from '../../protocol/telemetry.ts'
import { stepRollout } from '../../cloud/core/rollout/step.ts'
import type { Step } from '../../cloud/core/rollout/step.ts'
import type { NodeFacts, PodFacts } from '../../cloud/core/rollout/facts.ts'
import { freeze } from '../../cloud/core/rollout/freeze.ts'
import type { RolloutMember } from '../../cloud/resources/rollout-members.ts'
import { defaultRolloutSpec } from '../../cloud/resources/rollout-spec.ts'
import type { RolloutSpec } from '../../cloud/resources/rollout-spec.ts'
import type { RolloutStatus } from '../../cloud/resources/rollout-status.ts'

export const START_MS = Date.UTC(2026, 0, 1)
const CHUNK = 3

export interface FakeNode {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** never becomes ready on the new revision; the device goes back by itself */
  readonly bad: boolean
  /** milliseconds that it takes to switch */
  readonly slowMs: number
  /** what its pod asks for, as the DaemonSet controller last wrote it */
  hash: string
  /** what runs, and since when */
  runs: string
  switchAtMs: number | null
  appliedSinceMs: number
  rolledBack: boolean
  silentSinceMs: number | null
  /** of its container */
  startedMs: number | null
}

export class RolloutWorld {
  nowMs = START_MS
  readonly nodes = new Map<string, FakeNode>()
  spec: RolloutSpec
  status: RolloutStatus
  members: readonly RolloutMember[]
  generation = 1
  /** readings that the cloud has */
  readonly samples = new Map<string, readonly TelemetrySample[]>()
  listensMs = START_MS
  /** the DaemonSet's own template */
  own = 'old'

  constructor(spec: Partial<RolloutSpec>, nodes: readonly FakeNode[]) {
    this.spec = defaultRolloutSpec({ release: [{ daemonSet: 'web', images: { main: 'web:2' } }], ...spec })
    for (const node of nodes) this.nodes.set(node.name, node)
    const frozen = freeze(
      this.spec,
      nodes.map(({ name, labels, silentSinceMs }) => ({ name, labels, eligible: true, refused: null, silent: silentSinceMs !== null })),
      this.nowMs,
    )
    if (!frozen.ok) throw new Error(frozen.cause.code)
    this.members = frozen.members
    this.status = { phase: 'Preparing' }
  }

  edit(change: Partial<RolloutSpec>): void {
    this.spec = { ...this.spec, ...change }
    this.generation += 1
  }

  step(): Step {
    return stepRollout({
      spec: this.spec,
      generation: this.generation,
      history: [],
      status: this.status,
      members: this.members,
      factsOf: (node) => this.#facts(node),
      labelsOf: (node) => this.nodes.get(node)?.labels,
      nextHash: (_part, attempt) => nextHash(attempt),
      joiners: [],
      samplesOf: (node) => this.samples.get(node) ?? [],
      listensMs: this.listensMs,
      nowMs: this.nowMs,
    })
  }

  /** `writes` = how many writes succeed before the process dies; answers how many there were. */
  commit(step: Step, writes = Number.MAX_SAFE_INTEGER): number {
    let done = 0
    const may = (): boolean => (done += 1) <= writes
    if (step.adopt && may()) this.own = nextHash(0)
    if (JSON.stringify(step.status) !== JSON.stringify(this.status) && may()) this.status = step.status
    const stored = [...this.members]
    for (let from = 0; from < step.members.length; from += CHUNK) {
      const chunk = step.members.slice(from, from + CHUNK)
      if (chunk.some((member, index) => member !== this.members[from + index]) && may()) stored.splice(from, CHUNK, ...chunk)
    }
    this.members = stored
    return Math.min(done, writes)
  }

  /** Time passes: the DaemonSet controller follows what is stored, devices follow their pods. */
  pass(ms: number): void {
    this.nowMs += ms
    const held = new Map(this.members.map((member) => [member.node, member]))
    for (const node of this.nodes.values()) {
      const wanted = this.#templateOf(held.get(node.name))
      if (node.hash !== wanted) {
        node.hash = wanted
        node.rolledBack = false
        node.switchAtMs = node.runs === wanted ? null : this.nowMs + node.slowMs
        if (node.switchAtMs === null) node.appliedSinceMs = this.nowMs
      }
      if (node.switchAtMs === null || node.switchAtMs > this.nowMs || node.silentSinceMs !== null) continue
      node.switchAtMs = null
      if (node.bad && node.hash.startsWith('new')) node.rolledBack = true
      else {
        node.runs = node.hash
        node.appliedSinceMs = this.nowMs
      }
    }
  }

  /** Steps and commits until nothing changes, then lets time pass; `times` over. */
  run(times: number, ms = 5_000): void {
    for (let round = 0; round < times; round += 1) {
      for (let tries = 0; tries < 20 && this.commit(this.step()) > 0; tries += 1);
      this.pass(ms)
    }
  }

  verdicts(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.members.map(({ node, verdict }) => [node, verdict]))
  }

  #templateOf(member: RolloutMember | undefined): string {
    if (member === undefined || member.template === 'own' || (this.status.adopted === true && member.template === 'next')) return this.own
    return member.template === 'previous' ? (this.spec.abort === undefined ? 'old' : this.own) : nextHash(member.attempt ?? 0)
  }

  #facts(name: string): NodeFacts | null {
    const node = this.nodes.get(name)
    if (node === undefined) return null
    const isApplied = node.runs === node.hash
    const pod: PodFacts = {
      uid: `pod-${name}`,
      startedMs: [node.startedMs],
      hash: node.hash,
      applied: {
        isTrue: isApplied,
        reason: isApplied ? '' : node.rolledBack ? 'RolledBack' : 'Updating',
        message: '',
        sinceMs: node.appliedSinceMs,
      },
      ready: true,
      readySinceMs: START_MS - 1_000_000,
      createdMs: START_MS - 1_000_000,
      deleting: false,
      why: '',
    }
    return { silentSinceMs: node.silentSinceMs, pods: [pod] }
  }
}

export function nextHash(attempt: number): string {
  return attempt === 0 ? 'new' : `new-${attempt}`
}

export function fakeNode(name: string, facts: Partial<FakeNode> = {}): FakeNode {
  return {
    name,
    labels: {},
    bad: false,
    slowMs: 1_000,
    hash: 'old',
    runs: 'old',
    switchAtMs: null,
    appliedSinceMs: START_MS - 1_000_000,
    rolledBack: false,
    silentSinceMs: null,
    startedMs: START_MS - 1_000_000,
    ...facts,
  }
}
