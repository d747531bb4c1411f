/** The store as controllers use it: informers to read, and writes that compare-and-set and are visible at once. */
import { sameJson } from '../../protocol/revision.ts'
import { isDeleting, nameOf, namespaceOf } from '../core/meta.ts'
import type { Clock, Log, Random, Store, Written } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { withPriority } from '../resources/priority-class.ts'
import { ClusterKinds } from './cluster-kinds.ts'
import type { Kind } from './cluster-kinds.ts'

export interface ClusterDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const CONFLICT_TRIES = 8

export class Cluster extends ClusterKinds {
  readonly #deps: ClusterDeps

  constructor(deps: ClusterDeps) {
    super(deps)
    this.#deps = deps
  }

  /** A namespace that is being deleted: nothing new is made in it. */
  isClosing(namespace: string): boolean {
    const found = this.namespaces.get(`/${namespace}`)
    return found !== undefined && isDeleting(found)
  }

  nowIso(): string {
    return isoSeconds(this.#deps.clock.nowMs())
  }

  /** Stores a new object with uid, times and defaults; null when the name is taken. `uid`: of something that exists already. */
  async create<O extends KubeObject>(kind: Kind<O>, object: O, uid: string = this.#deps.random.uuid()): Promise<O | null> {
    const metadata = { ...object.metadata, uid, creationTimestamp: this.nowIso(), generation: 1 }
    const written = await this.#deps.store.create(kind.resource, kind.defaults(this.#prioritized({ ...object, metadata })))
    if (!written.ok) {
      if (written.current !== null) kind.absorb(written.current)
      return null
    }
    kind.absorb(written.object)
    return kind.get(`${namespaceOf(object)}/${nameOf(object)}`) ?? null
  }

  /**
   * Changes an object by compare-and-set on what was read; on a conflict `edit` sees the newer state. `edit` answers null
   * for "leave it", and an equal object is not written. Resolves to the object as it is now, null when it is gone.
   */
  async change<O extends KubeObject>(kind: Kind<O>, key: string, edit: (current: O) => O | null): Promise<O | null> {
    for (let tries = 0; tries < CONFLICT_TRIES; tries += 1) {
      const current = kind.get(key)
      if (current === undefined) return null
      const next = edit(current)
      if (next === null || sameJson(next, current)) return current
      const written = await this.#deps.store.update(kind.resource, withGeneration(current, next), Number(current.metadata.resourceVersion))
      if (written.ok) {
        kind.absorb(written.object)
        return kind.get(key) ?? null
      }
      if (written.why === 'not-found') return null
      if (written.current !== null) kind.absorb(written.current)
    }
    throw new Error(`${kind.resource} ${key} changed ${CONFLICT_TRIES} times while it was being written`)
  }

  /**
   * Stores `next` in place of exactly `current`, whose spec it changes; null when somebody wrote meanwhile. For writers that
   * know what they change: nothing is compared.
   */
  async replaceSpec<O extends KubeObject>(kind: Kind<O>, current: O, next: O): Promise<O | null> {
    const metadata = { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 }
    const written = await this.#deps.store.update(kind.resource, { ...next, metadata }, Number(current.metadata.resourceVersion))
    if (!written.ok) {
      if (written.current !== null) kind.absorb(written.current)
      return null
    }
    kind.absorb(written.object)
    return kind.get(`${namespaceOf(next)}/${nameOf(next)}`) ?? null
  }

  /** Takes an object out of the store at once. */
  async erase<O extends KubeObject>(kind: Kind<O>, object: O): Promise<void> {
    const written: Written = await this.#deps.store.delete(kind.resource, namespaceOf(object), nameOf(object), null)
    if (written.ok) kind.absorbDeletion(written.object)
  }

  /** Asks for an object's end: at once, or by its finalizers, or (a bound pod) after its device confirmed. */
  async remove<O extends KubeObject>(kind: Kind<O>, object: O): Promise<void> {
    const pod = kind.resource === this.pods.resource ? this.pods.get(`${namespaceOf(object)}/${nameOf(object)}`) : undefined
    const bound = pod?.spec.nodeName !== undefined
    if (!bound && (object.metadata.finalizers ?? []).length === 0) return this.erase(kind, object)
    const grace = pod?.spec.terminationGracePeriodSeconds ?? 0
    const at = isoSeconds(this.#deps.clock.nowMs() + grace * 1000)
    await this.change(kind, `${namespaceOf(object)}/${nameOf(object)}`, (current) => {
      if (isDeleting(current) || current.metadata.uid !== object.metadata.uid) return null
      // a grace period of zero means "by force" for a pod, so an ordinary end has at least one second
      const metadata = { ...current.metadata, deletionTimestamp: at, deletionGracePeriodSeconds: bound ? Math.max(1, grace) : 0 }
      return { ...current, metadata }
    })
  }

  /** A pod gets the priority of its class here, as from the API; an unknown class is left for the scheduler to name. */
  #prioritized<O extends KubeObject>(object: O): O {
    if (object.kind !== 'Pod') return object
    const result = withPriority(object['spec'] as Pod['spec'], this.priorityClasses.values())
    return result.ok ? { ...object, spec: result.spec } : object
  }
}

function withGeneration<O extends KubeObject>(current: O, next: O): O {
  if (sameJson(current['spec'], next['spec'])) return next
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } }
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
