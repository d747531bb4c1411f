/**
 * Binds pending pods. INVARIANTS: the view follows the informers change by change; a pod is taken into the view before its
 * binding is written and taken out again when that fails; a pod that no device takes waits for a change of nodes or for
 * freed resources; the one timer is the end of a device's avoidance.
 */
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { byAge, isDeleting, keyOf } from '../core/meta.ts'
import { refusalsInPlace } from '../core/scheduler/dry-run.ts'
import { heldBack } from '../core/scheduler/held-back.ts'
import type { HeldBack } from '../core/scheduler/held-back.ts'
import { readsUsage } from '../core/scheduler/overcommit.ts'
import { podInfo, withVolumes } from '../core/scheduler/pod-info.ts'
import { preempt } from '../core/scheduler/preempt.ts'
import { DEFAULT_PROFILE } from '../core/scheduler/profile.ts'
import type { PodInfo, Profile } from '../core/scheduler/framework.ts'
import { Engine } from '../core/scheduler/schedule.ts'
import type { Decision } from '../core/scheduler/schedule.ts'
import { answerWhy } from '../core/scheduler/why.ts'
import type { WhyAnswer } from '../core/scheduler/why.ts'
import type { Pod } from '../resources/pod.ts'
import { bindPod, boundPod, evict, tellRefusal } from './binding.ts'
import { ClaimBook } from './claim-book.ts'
import { plannedPods } from './planned-pods.ts'
import type { PlannedPod } from './planned-pods.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'
import { SchedulerView } from './scheduler-view.ts'

export interface SchedulerController extends Controller {
  /** every rule on every device for a pod, as of now, or on one device; null when there is no such pod */
  whyPod(namespace: string, name: string, node?: string): WhyAnswer | null
  /** a device refused a pod of this owner: others first, for a while */
  avoid(owner: string, node: string, why: Cause): void
  /** pods without a device that would go to this one as things are, with what they would get; the first few that wait */
  planned(node: string): readonly PlannedPod[]
  /** new readings of CPU, by pod uid */
  usageSeen(node: string, usedMilli: ReadonlyMap<string, readonly number[]>): void
  /** why this pod does not fit a node in place of the one with that uid; nothing = it fits */
  readonly refusalsInPlace: (pod: Pod, node: string, insteadOf: string | null) => readonly Cause[]
}

export interface SchedulerDeps extends ControllerDeps {
  /** default: the one usual profile */
  readonly profiles?: readonly Profile[]
}

const BATCH = 'batch'
/** Bindings in flight together: they share a commit of the store. */
const BATCH_SIZE = 256

export function startSchedulerController(deps: SchedulerDeps): SchedulerController {
  return new Scheduler(deps).start()
}

class Scheduler {
  readonly #deps: SchedulerDeps
  readonly #view: SchedulerView
  readonly #claims: ClaimBook
  readonly #engines: ReadonlyMap<string, Engine>
  readonly #pending = new Set<string>()
  readonly #waiting = new Set<string>()
  /** pending keys in order; null when one was added */
  #order: string[] | null = null
  readonly #controller: Controller

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
    this.#claims = new ClaimBook(deps.cluster)
    this.#view = new SchedulerView((node) => deps.cluster.pods.by('node', node))
    this.#engines = new Map((deps.profiles ?? [DEFAULT_PROFILE]).map((profile) => [profile.name, new Engine(profile, this.#view.world)]))
    this.#controller = runController(deps, 'scheduler', () => this.#runBatch(), 1)
  }

  start(): SchedulerController {
    const { cluster } = this.#deps
    cluster.namespaces.onChange((next, previous) => this.#view.namespaceChanged(next, previous))
    cluster.pods.onChange((next, previous) => this.#podChanged(next, previous))
    cluster.nodes.onChange((next, previous) => {
      if (this.#view.nodeChanged(next, previous)) this.#retryWaiting()
    })
    return {
      ...this.#controller,
      avoid: (owner, node, why) => {
        const untilMs = this.#deps.clock.nowMs() + LIMITS.placementAvoidMs.value
        this.#view.world.refusals.add(owner, node, { why, untilMs })
        this.#view.world.refusalsChanged()
        this.#controller.queue.add(BATCH)
      },
      planned: (node) => {
        const waiting = [...new Set([...this.#pending, ...this.#waiting])].map((key) => cluster.pods.get(key))
        return plannedPods(
          node,
          waiting,
          (pod) => this.#engineOf(pod),
          (pod) => this.#infoOf(pod),
        )
      },
      usageSeen: (node, usedMilli) => {
        if (readsUsage(this.#deps.profiles ?? []) && this.#view.usageSeen(node, usedMilli, this.#deps.clock.nowMs())) this.#retryWaiting()
      },
      refusalsInPlace: (pod, node, insteadOf) =>
        refusalsInPlace(this.#engineOf(pod)?.profile ?? DEFAULT_PROFILE, this.#view.world, pod, node, insteadOf),
      whyPod: (namespace, name, node) => {
        const pod = cluster.pods.get(`${namespace}/${name}`)
        if (pod === undefined) return null
        const held = this.#refusedOutright(pod)
        const profile = this.#engineOf(pod)?.profile ?? DEFAULT_PROFILE
        return answerWhy({ profile, world: this.#view.world, pod, held, nowMs: this.#deps.clock.nowMs(), node: node ?? null })
      },
    }
  }

  #infoOf(pod: Pod): PodInfo {
    return withVolumes(podInfo(pod), this.#claims.nodesOf(pod))
  }

  #engineOf(pod: Pod): Engine | undefined {
    const name = pod.spec.schedulerName ?? ''
    return this.#engines.get(name === '' ? DEFAULT_PROFILE.name : name)
  }

  #podChanged(next: Pod | null, previous: Pod | null): void {
    const pod = next ?? previous
    if (pod === null) return
    if (this.#view.podChanged(next, previous)) this.#retryWaiting()
    const wanted = next !== null && next.spec.nodeName === undefined && !isDeleting(next)
    if (!wanted) {
      this.#pending.delete(keyOf(pod))
      this.#waiting.delete(keyOf(pod))
      this.#view.dropClaim(next === null || isDeleting(next) ? (pod.metadata.uid ?? '') : '')
      return
    }
    // our own note on the pod's condition is no reason to look again
    if (this.#waiting.has(keyOf(pod)) && previous !== null && next.metadata.generation === previous.metadata.generation) return
    this.#look(keyOf(pod))
  }

  #look(key: string): void {
    this.#waiting.delete(key)
    if (!this.#pending.has(key)) this.#order = null
    this.#pending.add(key)
    this.#controller.queue.add(BATCH)
  }

  #retryWaiting(): void {
    for (const key of Array.from(this.#waiting)) this.#look(key)
  }

  async #runBatch(): Promise<number | null> {
    const { world } = this.#view
    this.#view.forgetOldUsage(this.#deps.clock.nowMs())
    if (world.refusals.expire(this.#deps.clock.nowMs())) {
      world.refusalsChanged()
      this.#retryWaiting()
    }
    const batch = this.#nextBatch()
    if (this.#pending.size > 0) this.#controller.queue.add(BATCH)
    await Promise.all(batch.map((pod) => this.#place(pod)))
    const next = world.refusals.nextMs()
    return next === null ? null : Math.max(1, next - this.#deps.clock.nowMs())
  }

  /** The most important pods that are pending, oldest first. */
  #nextBatch(): readonly Pod[] {
    const { pods } = this.#deps.cluster
    if (this.#order === null) {
      const known = [...this.#pending].map((key) => pods.get(key)).filter((pod) => pod !== undefined)
      known.sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || byAge(b, a))
      this.#order = known.map(keyOf)
      this.#pending.clear()
      for (const key of this.#order) this.#pending.add(key)
    }
    const batch: Pod[] = []
    while (batch.length < BATCH_SIZE) {
      const key = this.#order.pop()
      if (key === undefined) break
      const pod = this.#pending.delete(key) ? pods.get(key) : undefined
      if (pod !== undefined) batch.push(pod)
    }
    return batch
  }

  /** Decides at once (in batch order) and writes afterwards. */
  async #place(pod: Pod): Promise<void> {
    const held = this.#refusedOutright(pod)
    if (held !== null) {
      this.#waiting.add(keyOf(pod))
      return tellRefusal(this.#deps, pod, held.sentence, held.reason)
    }
    const engine = this.#engineOf(pod)
    if (engine === undefined) return
    const info = this.#infoOf(pod)
    const claimed = this.#view.dropClaim(info.uid)
    const began = this.#deps.clock.monoMs()
    const decision = engine.decide(info)
    this.#deps.meter?.observe('skerry_placement_duration_seconds', (this.#deps.clock.monoMs() - began) / 1000)
    this.#count(decision)
    if (decision.kind === 'none') {
      this.#waiting.add(keyOf(pod))
      const notes = this.#makeRoom(engine.profile, info, claimed)
      await tellRefusal(this.#deps, pod, decision.refusal.sentence, 'Unschedulable')
      return notes
    }
    const bound = boundPod(pod, decision.node, decision.placement, this.#deps.cluster.nowIso())
    this.#view.assume(decision.node, { ...info, pod: bound })
    this.#claims.chosen(pod, decision.node)
    try {
      if (!(await bindPod(this.#deps, pod, bound))) this.#view.forget(decision.node, info.uid)
    } catch (error) {
      this.#view.forget(decision.node, info.uid)
      this.#look(keyOf(pod))
      throw error
    } finally {
      this.#claims.settled(pod)
    }
  }

  #count(decision: Decision): void {
    const { meter } = this.#deps
    meter?.count('skerry_placement_decisions_total', { result: decision.kind === 'none' ? 'refused' : 'placed' })
    if (decision.kind === 'none') meter?.count('skerry_placement_rejections_total', { cause_class: causeClass(decision) })
  }

  /** Pushes out pods of lower priority where that helps. Until they are gone the room is kept, and nobody else has to go. */
  #makeRoom(profile: Profile, info: PodInfo, claimed: string | null): Promise<void> {
    const node = claimed === null ? undefined : this.#view.world.get(claimed)
    if (node !== undefined && [...node.pods.values()].some((other) => other.leaving && other.priority < info.priority)) {
      this.#view.claim(node.name, info)
      return Promise.resolve()
    }
    const found = preempt(profile, info, this.#view.world)
    if (found === null) return Promise.resolve()
    this.#view.claim(found.node, info)
    return evict(this.#deps, info, found)
  }

  #refusedOutright(pod: Pod): HeldBack | null {
    return heldBack(pod, this.#engineOf(pod) !== undefined, this.#engines.keys())
  }
}

/** The first two words of what stopped the pod on the first device, as `placement.gpu`. */
function causeClass({ refusal }: Extract<Decision, { readonly kind: 'none' }>): string {
  const code = refusal.nodes[0]?.reasons[0]?.cause.code ?? refusal.cause.code
  return code.split('.').slice(0, 2).join('.')
}
