/** What a rollout writes. Each write is over exactly what was read, or is not made. */
import { canonicalJson } from '../../protocol/revision.ts'
import { keyOf, nameOf, namespaceOf, splitKey, uidOf } from '../core/meta.ts'
import type { ReleaseTemplates, RolloutMember, RolloutMembers, RolloutRelease } from '../resources/rollout-members.ts'
import type { RolloutStatus } from '../resources/rollout-status.ts'
import type { Rollout } from '../resources/rollout.ts'
import type { Kind } from './cluster-kinds.ts'
import type { Cluster } from './cluster.ts'

/** False when the rollout was changed or is gone. */
export async function writeStatus(cluster: Cluster, rollout: Rollout, status: RolloutStatus): Promise<boolean> {
  let stale = false
  const written = await cluster.change(cluster.rollouts, keyOf(rollout), (current) => {
    stale = uidOf(current) !== uidOf(rollout) || current.metadata.generation !== rollout.metadata.generation || current.status !== rollout.status
    return stale ? null : { ...current, status }
  })
  return written !== null && !stale
}

export interface ChunkWrite {
  readonly name: string
  readonly index: number
  readonly members: readonly RolloutMember[]
  /** what was read; empty when there was none */
  readonly before: readonly RolloutMember[]
}

/** False when one of them was changed by somebody else; the others are written. */
export async function writeChunks(cluster: Cluster, rollout: Rollout, writes: readonly ChunkWrite[]): Promise<boolean> {
  const done = await Promise.all(
    writes.map(({ name, index, members, before }) =>
      put<RolloutMembers>(cluster, cluster.rolloutMembers, rollout, name, { rolloutUid: uidOf(rollout), index, members }, (current) => {
        const foreign = current.spec.rolloutUid !== uidOf(rollout)
        return foreign || current.spec.members === before || canonicalJson(current.spec.members) === canonicalJson(before)
      }),
    ),
  )
  return done.every(Boolean)
}

export function writeRelease(
  cluster: Cluster,
  rollout: Rollout,
  parts: readonly ReleaseTemplates[],
  plan?: NonNullable<RolloutRelease['spec']['plan']>,
): Promise<boolean> {
  return put<RolloutRelease>(
    cluster,
    cluster.rolloutReleases,
    rollout,
    nameOf(rollout),
    { rolloutUid: uidOf(rollout), parts, ...(plan === undefined ? {} : { plan }) },
    () => true,
  )
}

async function put<O extends RolloutMembers | RolloutRelease>(
  cluster: Cluster,
  kind: Kind<O>,
  rollout: Rollout,
  name: string,
  spec: O['spec'],
  mayReplace: (current: O) => boolean,
): Promise<boolean> {
  const namespace = namespaceOf(rollout)
  const key = `${namespace}/${name}`
  if (kind.get(key) === undefined) {
    const fresh = { apiVersion: 'skerry.dev/v1', kind: 'RolloutPart', metadata: { name, namespace }, spec } as unknown as O
    return (await cluster.create(kind, fresh)) !== null
  }
  let may = true
  await cluster.change(kind, key, (current) => {
    may = mayReplace(current)
    return may ? { ...current, spec } : null
  })
  return may
}

/** The new templates become the DaemonSets' own. */
export async function adoptTemplates(cluster: Cluster, namespace: string, parts: readonly ReleaseTemplates[]): Promise<void> {
  await Promise.all(
    parts.map(({ daemonSet, daemonSetUid, next }) =>
      cluster.change(cluster.daemonSets, `${namespace}/${daemonSet}`, (set) =>
        uidOf(set) === daemonSetUid ? { ...set, spec: { ...set.spec, template: next } } : null,
      ),
    ),
  )
}

/** After a rollout was deleted. */
export async function eraseMembers(cluster: Cluster, key: string): Promise<void> {
  const { namespace, name } = splitKey(key)
  const own = (object: RolloutMembers | RolloutRelease): boolean =>
    namespaceOf(object) === namespace && (nameOf(object) === name || nameOf(object).replace(/\.\d+$/, '') === name)
  await Promise.all(
    cluster.rolloutMembers
      .values()
      .filter(own)
      .map((chunk) => cluster.erase(cluster.rolloutMembers, chunk)),
  )
  await Promise.all(
    cluster.rolloutReleases
      .values()
      .filter(own)
      .map((release) => cluster.erase(cluster.rolloutReleases, release)),
  )
}

/** Chunks that an earlier, longer attempt to freeze left over. */
export async function eraseBeyond(cluster: Cluster, rollout: Rollout, chunks: number): Promise<void> {
  const left = cluster.rolloutMembers.by('rollout', uidOf(rollout)).filter((chunk) => chunk.spec.index >= chunks)
  await Promise.all(left.map((chunk) => cluster.erase(cluster.rolloutMembers, chunk)))
}
