/**
 * Rollouts with their members, as they are stored. INVARIANTS: nothing is in it that the store has not confirmed; members of
 * another rollout of the same name are never taken for this one's; who listens is told after the book has changed.
 */
import { compareText, keyOf, nameOf, namespaceOf, uidOf } from '../core/meta.ts'
import { imagesAhead, NOTHING_AHEAD } from '../core/rollout/ahead.ts'
import type { Ahead } from '../core/rollout/ahead.ts'
import { overlayOf } from '../core/rollout/overlay.ts'
import type { Overlay, StoredRollout } from '../core/rollout/overlay.ts'
import { hasEnded } from '../core/rollout/step-input.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import { chunkName } from '../resources/rollout-members.ts'
import type { RolloutMember, RolloutMembers } from '../resources/rollout-members.ts'
import type { Rollout } from '../resources/rollout.ts'
import type { Cluster } from './cluster.ts'

export class RolloutBook {
  readonly #cluster: Cluster
  /** rollout uid -> node -> member */
  readonly #members = new Map<string, Map<string, RolloutMember>>()
  readonly #handlers: ((daemonSetKey: string) => void)[] = []
  readonly #aheadHandlers: ((device: string) => void)[] = []

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    cluster.rolloutMembers.onChange((next, previous) => this.#chunkChanged(next, previous))
    cluster.rolloutReleases.onChange((next, previous) =>
      this.#tell((next ?? previous)?.spec.rolloutUid ?? '', namespaceOf(next ?? previous ?? NOTHING)),
    )
    cluster.rollouts.onChange((next, previous) => {
      const rollout = next ?? previous
      if (next === null && previous !== null) this.#members.delete(uidOf(previous))
      if (rollout === null) return
      this.#tell(uidOf(rollout), namespaceOf(rollout))
      if (next === null || aheadMark(next) !== aheadMark(previous)) this.#tellAhead(uidOf(rollout), next ?? previous)
    })
  }

  /** Calls back with the key of each DaemonSet whose overlay may have changed. */
  onOverlay(handler: (daemonSetKey: string) => void): void {
    this.#handlers.push(handler)
  }

  /** Calls back with each device whose images to fetch ahead may have changed. */
  onAhead(handler: (device: string) => void): void {
    this.#aheadHandlers.push(handler)
  }

  /** Images that a device is to have before its wave starts. */
  imagesAhead(device: string): Ahead {
    const all = this.#cluster.rollouts.values().flatMap((rollout) => {
      if ((rollout.spec.prefetch ?? 'None') === 'None') return []
      const stored = this.stored(keyOf(rollout))
      return stored === null ? [] : [imagesAhead(stored, device)]
    })
    return all.length === 0 ? NOTHING_AHEAD : { images: all.flatMap(({ images }) => images), rates: all.flatMap(({ rates }) => rates) }
  }

  /** What rollouts say about this DaemonSet; null = nothing. */
  overlay(set: DaemonSet): Overlay | null {
    const stored = this.#cluster.rolloutReleases
      .values()
      .filter((release) => namespaceOf(release) === namespaceOf(set) && release.spec.parts.some(({ daemonSetUid }) => daemonSetUid === uidOf(set)))
      .flatMap((release) => this.stored(`${namespaceOf(release)}/${nameOf(release)}`) ?? [])
      .toSorted((a, b) => compareText(b.rollout.metadata.creationTimestamp ?? '', a.rollout.metadata.creationTimestamp ?? ''))
    return stored.length === 0 ? null : overlayOf(uidOf(set), stored)
  }

  /** A rollout whose members are frozen; null = there is none, or it has not got that far. */
  stored(key: string): StoredRollout | null {
    const rollout = this.#cluster.rollouts.get(key)
    const release = this.#cluster.rolloutReleases.get(key)
    if (rollout === undefined || release?.spec.rolloutUid !== uidOf(rollout) || rollout.status?.startedAt === undefined) return null
    const members = this.#members.get(uidOf(rollout))
    return { rollout, parts: release.spec.parts, memberOf: (node) => members?.get(node) }
  }

  /** Chunks in their order; those of another rollout, and missing ones, are empty. */
  chunks(rollout: Rollout): readonly (readonly RolloutMember[])[] {
    return Array.from({ length: rollout.status?.chunks ?? 0 }, (_, index) => {
      const chunk = this.#cluster.rolloutMembers.get(`${namespaceOf(rollout)}/${chunkName(nameOf(rollout), index)}`)
      return chunk?.spec.rolloutUid === uidOf(rollout) ? chunk.spec.members : []
    })
  }

  #chunkChanged(next: RolloutMembers | null, previous: RolloutMembers | null): void {
    const chunk = next ?? previous
    if (chunk === null) return
    const { rolloutUid } = chunk.spec
    const members = this.#members.get(rolloutUid) ?? new Map<string, RolloutMember>()
    this.#members.set(rolloutUid, members)
    if (previous !== null && (next === null || previous.spec.rolloutUid !== rolloutUid))
      for (const { node } of previous.spec.members) this.#members.get(previous.spec.rolloutUid)?.delete(node)
    let moved = next === null
    for (const member of next?.spec.members ?? []) {
      const before = members.get(member.node)
      moved ||= before?.template !== member.template || before.attempt !== member.attempt || before.startedAt !== member.startedAt
      members.set(member.node, member)
    }
    if (moved) this.#tell(rolloutUid, namespaceOf(chunk))
  }

  #tellAhead(rolloutUid: string, rollout: Rollout | null): void {
    if ((rollout?.spec.prefetch ?? 'None') === 'None') return
    for (const { node, template } of this.#members.get(rolloutUid)?.values() ?? [])
      if (template === 'own') for (const handler of this.#aheadHandlers) handler(node)
  }

  #tell(rolloutUid: string, namespace: string): void {
    for (const release of this.#cluster.rolloutReleases.by('rollout', rolloutUid))
      for (const { daemonSet } of release.spec.parts) for (const handler of this.#handlers) handler(`${namespace}/${daemonSet}`)
  }

  /** Rollouts that concern a DaemonSet, by key. */
  concerning(namespace: string, daemonSet: string): readonly string[] {
    return this.#cluster.rollouts
      .values()
      .filter((rollout) => namespaceOf(rollout) === namespace && rollout.spec.release.some((part) => part.daemonSet === daemonSet))
      .map(keyOf)
  }
}

/** What of a rollout decides who fetches ahead. */
function aheadMark(rollout: Rollout | null): string {
  const { spec, status } = rollout ?? {}
  return [spec?.prefetch, spec?.abort, status?.releasedWave, status?.startedAt, hasEnded(status)].join()
}

const NOTHING = { apiVersion: '', kind: '', metadata: {} }
