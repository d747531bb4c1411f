/**
 * Binds pending pods. INVARIANTS: the snapshot follows the informers change by change; a pod is taken into the snapshot
 * before its binding is written and taken out again when that fails; a pod that no device takes waits for a change of
 * nodes or for freed resources, never for a timer.
 */
import { PLACEMENT_ANNOTATION } from '../core/desired.ts'
import { conditionOf, isDeleting, keyOf, nameOf, withCondition } from '../core/meta.ts'
import { DEFAULT_PROFILE } from '../core/scheduler/profile.ts'
import { explain } from '../core/scheduler/explain.ts'
import type { Refusal } from '../core/scheduler/explain.ts'
import type { NodeInfo, PodInfo } from '../core/scheduler/framework.ts'
import { podInfo } from '../core/scheduler/pod-info.ts'
import { schedule } from '../core/scheduler/schedule.ts'
import type { Decision } from '../core/scheduler/schedule.ts'
import { holdsResources, nodeInfo, withoutPod, withPod } from '../core/scheduler/snapshot.ts'
import { byAge } from '../core/meta.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import { sameForScheduling } from '../core/scheduler/node-change.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export interface SchedulerController extends Controller {
  /** every rule on every device for a pod, as of now; null when there is no such pod */
  explainPod(namespace: string, name: string): PodExplanation | null
}

export interface PodExplanation {
  readonly node: string | null
  readonly refusal: Refusal | null
}

const BATCH = 'batch'
/** Bindings in flight together: they share a commit of the store. */
const BATCH_SIZE = 256

export function startSchedulerController(deps: ControllerDeps): SchedulerController {
  return new Scheduler(deps).start()
}

class Scheduler {
  readonly #deps: ControllerDeps
  readonly #nodes = new Map<string, NodeInfo>()
  readonly #pending = new Set<string>()
  readonly #waiting = new Set<string>()
  readonly #controller: Controller

  constructor(deps: ControllerDeps) {
    this.#deps = deps
    this.#controller = runController(deps, 'scheduler', () => this.#runBatch(), 1)
  }

  start(): SchedulerController {
    this.#deps.cluster.pods.onChange((next, previous) => this.#podChanged(next, previous))
    this.#deps.cluster.nodes.onChange((next, previous) => this.#nodeChanged(next, previous))
    return {
      queue: this.#controller.queue,
      stop: () => this.#controller.stop(),
      explainPod: (namespace, name) => {
        const pod = this.#deps.cluster.pods.get(`${namespace}/${name}`)
        if (pod === undefined) return null
        if (pod.spec.nodeName !== undefined) return { node: pod.spec.nodeName, refusal: null }
        return { node: null, refusal: explain(DEFAULT_PROFILE, podInfo(pod), this.#nodes) }
      },
    }
  }

  #podChanged(next: Pod | null, previous: Pod | null): void {
    const pod = next ?? previous
    if (pod === null) return
    const holder = previous?.spec.nodeName
    if (previous !== null && holder !== undefined && holdsResources(previous) && (next === null || !holdsResources(next))) {
      this.#edit(holder, (node) => withoutPod(node, podInfo(previous).uid))
      this.#retryWaiting()
    }
    if (next !== null && next.spec.nodeName !== undefined && holdsResources(next)) {
      const info = podInfo(next)
      this.#edit(next.spec.nodeName, (node) => withPod(node, info))
    }
    const wanted = next !== null && next.spec.nodeName === undefined && !isDeleting(next)
    if (!wanted) {
      this.#pending.delete(keyOf(pod))
      this.#waiting.delete(keyOf(pod))
      return
    }
    // our own note on the pod's condition is no reason to look again
    if (this.#waiting.has(keyOf(pod)) && previous !== null && next.metadata.generation === previous.metadata.generation) return
    this.#look(keyOf(pod))
  }

  #nodeChanged(next: Node | null, previous: Node | null): void {
    const node = next ?? previous
    if (node === null) return
    if (next === null) this.#nodes.delete(nameOf(node))
    else {
      const bound = this.#deps.cluster.pods.by('node', nameOf(next)).filter(holdsResources)
      this.#nodes.set(nameOf(next), nodeInfo(next, this.#nodes.get(nameOf(next))?.pods.values() ?? bound.map(podInfo)))
    }
    if (!sameForScheduling(next, previous)) this.#retryWaiting()
  }

  #edit(name: string, edit: (node: NodeInfo) => NodeInfo): void {
    const node = this.#nodes.get(name)
    if (node !== undefined) this.#nodes.set(name, edit(node))
  }

  #look(key: string): void {
    this.#waiting.delete(key)
    this.#pending.add(key)
    this.#controller.queue.add(BATCH)
  }

  #retryWaiting(): void {
    for (const key of Array.from(this.#waiting)) this.#look(key)
  }

  async #runBatch(): Promise<null> {
    const { cluster } = this.#deps
    const pods = [...this.#pending].map((key) => cluster.pods.get(key)).filter((pod) => pod !== undefined)
    pods.sort((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || byAge(a, b))
    const batch = pods.slice(0, BATCH_SIZE)
    for (const pod of batch) this.#pending.delete(keyOf(pod))
    if (pods.length > BATCH_SIZE) this.#controller.queue.add(BATCH)
    await Promise.all(batch.map((pod) => this.#place(pod)))
    return null
  }

  /** Decides at once (in batch order) and writes afterwards. */
  async #place(pod: Pod): Promise<void> {
    const info = podInfo(pod)
    const decision = schedule(DEFAULT_PROFILE, info, this.#nodes)
    if (decision.kind === 'none') {
      this.#waiting.add(keyOf(pod))
      await this.#refuse(pod, decision.refusal)
      return
    }
    this.#edit(decision.node, (node) => withPod(node, info))
    try {
      await this.#bind(pod, info, decision)
    } catch (error) {
      this.#edit(decision.node, (node) => withoutPod(node, info.uid))
      this.#look(keyOf(pod))
      throw error
    }
  }

  async #bind(pod: Pod, info: PodInfo, decision: Decision & { readonly kind: 'node' }): Promise<void> {
    const { cluster, events } = this.#deps
    const nowIso = cluster.nowIso()
    const bound = await cluster.change(cluster.pods, keyOf(pod), (current) =>
      current.metadata.uid !== info.uid || current.spec.nodeName !== undefined || isDeleting(current)
        ? null
        : {
            ...current,
            metadata: {
              ...current.metadata,
              annotations: { ...current.metadata.annotations, [PLACEMENT_ANNOTATION]: JSON.stringify(decision.placement) },
            },
            spec: { ...current.spec, nodeName: decision.node },
            status: {
              ...current.status,
              conditions: withCondition(current.status?.conditions ?? [], { type: 'PodScheduled', status: 'True' }, nowIso),
            },
          },
    )
    if (bound?.metadata.uid !== info.uid || bound.spec.nodeName !== decision.node) {
      this.#edit(decision.node, (node) => withoutPod(node, info.uid))
      return
    }
    events.record({
      about: pod,
      type: 'Normal',
      reason: 'Scheduled',
      message: `Successfully assigned ${keyOf(pod)} to ${decision.node}`,
      component: 'default-scheduler',
    })
  }

  async #refuse(pod: Pod, refusal: Refusal): Promise<void> {
    const { cluster, events } = this.#deps
    const before = conditionOf(pod.status?.conditions, 'PodScheduled')
    if (before?.status === 'False' && before.message === refusal.sentence) return
    const nowIso = cluster.nowIso()
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: refusal.sentence }
    await cluster.change(cluster.pods, keyOf(pod), (current) =>
      current.spec.nodeName !== undefined
        ? null
        : { ...current, status: { ...current.status, conditions: withCondition(current.status?.conditions ?? [], condition, nowIso) } },
    )
    events.record({ about: pod, type: 'Warning', reason: 'FailedScheduling', message: refusal.sentence, component: 'default-scheduler' })
  }
}
