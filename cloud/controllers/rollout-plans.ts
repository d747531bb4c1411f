/**
 * Plans of rollouts. INVARIANTS: a plan writes nothing but its own frozen members and templates; the same question about the
 * same fleet has the same id; there are never more plans than the limits table says, and none older than a day.
 */
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { check, isRecord } from '../../protocol/shape.ts'
import { compareText, nameOf, namespaceOf } from '../core/meta.ts'
import { stampOr } from '../core/pod-state.ts'
import { sameTemplate } from '../core/pod-template.ts'
import { silentSince } from '../core/rollout/facts.ts'
import { describePlan, planDigest, planIdOf } from '../core/rollout/plan.ts'
import type { PlanFacts, RolloutPlan } from '../core/rollout/plan.ts'
import { labelOf } from '../core/scheduler/node-affinity.ts'
import { NETWORK_CLASS_LABEL } from '../core/scheduler/scores/pull-cost.ts'
import { linkWish } from '../resources/link-rules.ts'
import { chunkName, chunksOf, planName } from '../resources/rollout-members.ts'
import type { PlanFacts as PlanFactsKept, ReleaseTemplates, RolloutMember } from '../resources/rollout-members.ts'
import { ROLLOUT_SHAPE, ROLLOUTS } from '../resources/rollout.ts'
import type { Rollout } from '../resources/rollout.ts'
import type { Cluster } from './cluster.ts'
import { frozen } from './rollout-prepare.ts'
import type { PrepareDeps } from './rollout-prepare.ts'
import { eraseMembers, writeChunks, writeRelease } from './rollout-writes.ts'

export type PlanAnswer = { readonly ok: true; readonly plan: RolloutPlan } | { readonly ok: false; readonly code: number; readonly message: string }

/** @param body a Rollout as it would be created */
export async function makePlan(deps: PrepareDeps, namespace: string, body: unknown): Promise<PlanAnswer> {
  const read = readRollout(namespace, body)
  if (typeof read === 'string') return { ok: false, code: 422, message: read }
  const { planId: _from, ...spec } = read.spec
  const rollout: Rollout = { ...read, spec }
  const prepared = frozen(deps, rollout)
  if (!prepared.ok) return { ok: false, code: 409, message: causeSentence(prepared.cause) }
  const madeAt = new Date(deps.clock.nowMs()).toISOString()
  await sweepPlans(deps.cluster, deps.clock.nowMs())
  await keep(deps.cluster, rollout, prepared.parts, prepared.members, madeAt)
  return { ok: true, plan: described(deps.cluster, rollout, prepared.parts, prepared.members, madeAt) }
}

function readRollout(namespace: string, body: unknown): Rollout | string {
  if (!isRecord(body) || !isRecord(body['metadata'])) return 'the body must be one Rollout with metadata and spec'
  const metadata = { ...body['metadata'], namespace, name: body['metadata']['name'] ?? 'plan' }
  const { status: _status, history: _history, ...sent } = body
  const object = { ...sent, metadata }
  const [fault, ...faults] = check(ROLLOUT_SHAPE, object)
  if (fault !== undefined) return [fault, ...faults].map(({ path, message }) => `${path}: ${message}`).join('; ')
  const rollout = ROLLOUTS.defaults(object as unknown as Rollout)
  const issues = ROLLOUTS.validate(rollout, null)
  return issues.length === 0 ? rollout : issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
}

/** The members of a plan under its id, as a Rollout with `spec.planId` takes them; or why they no longer hold. */
export function planned(
  cluster: Cluster,
  rollout: Rollout,
  planId: string,
):
  | { readonly ok: true; readonly parts: readonly ReleaseTemplates[]; readonly members: readonly RolloutMember[] }
  | { readonly ok: false; readonly cause: Cause } {
  const namespace = namespaceOf(rollout)
  const kept = keptPlan(cluster, namespace, planId)
  if (kept === null) return { ok: false, cause: cause('rollout.no-plan', { planId }) }
  const { plan, parts, members } = kept
  const differs = (why: string): { readonly ok: false; readonly cause: Cause } => ({
    ok: false,
    cause: cause('rollout.plan-differs', { planId, why }),
  })
  if (plan.digest !== planDigest(rollout.spec)) return differs('it was made for another release, target or other waves')
  for (const { daemonSet, daemonSetUid, previous } of parts) {
    const set = cluster.daemonSets.get(`${namespace}/${daemonSet}`)
    if (set?.metadata.uid !== daemonSetUid || !sameTemplate(set.spec.template, previous)) return differs(`DaemonSet ${daemonSet} has changed since`)
  }
  return { ok: true, parts, members }
}

/** A plan that was made before, with what is known now of sizes and silence; null = it is not kept. */
export function shownPlan(cluster: Cluster, namespace: string, planId: string): RolloutPlan | null {
  const kept = keptPlan(cluster, namespace, planId)
  if (kept === null) return null
  const { plan, parts, members } = kept
  const subject = { name: plan.name, namespace, spec: plan.spec, parts, members, madeAt: plan.madeAt }
  return describePlan(subject, planFacts(cluster, parts))
}

interface KeptPlan {
  readonly plan: PlanFactsKept
  readonly parts: readonly ReleaseTemplates[]
  readonly members: readonly RolloutMember[]
}

function keptPlan(cluster: Cluster, namespace: string, planId: string): KeptPlan | null {
  const release = cluster.rolloutReleases.get(`${namespace}/${planName(planId)}`)
  const plan = release?.spec.plan
  if (release === undefined || plan === undefined) return null
  const chunks = Array.from({ length: plan.chunks }, (_, index) => cluster.rolloutMembers.get(`${namespace}/${chunkName(planName(planId), index)}`))
  return chunks.includes(undefined) ? null : { plan, parts: release.spec.parts, members: chunks.flatMap((chunk) => chunk?.spec.members ?? []) }
}

async function keep(
  cluster: Cluster,
  rollout: Rollout,
  parts: readonly ReleaseTemplates[],
  members: readonly RolloutMember[],
  madeAt: string,
): Promise<void> {
  const name = planName(planIdOf(rollout.spec, members))
  const owner: Rollout = { ...rollout, metadata: { ...rollout.metadata, name, uid: name } }
  const chunks = chunksOf(members)
  const known = (index: number): readonly RolloutMember[] =>
    cluster.rolloutMembers.get(`${namespaceOf(owner)}/${chunkName(name, index)}`)?.spec.members ?? []
  await writeChunks(
    cluster,
    owner,
    chunks.map((list, index) => ({ name: chunkName(name, index), index, members: list, before: known(index) })),
  )
  await writeRelease(cluster, owner, parts, {
    madeAt,
    chunks: chunks.length,
    digest: planDigest(rollout.spec),
    name: nameOf(rollout),
    spec: rollout.spec,
  })
}

/** Plans of yesterday, and the oldest of too many. */
async function sweepPlans(cluster: Cluster, nowMs: number): Promise<void> {
  const plans = cluster.rolloutReleases
    .values()
    .filter(({ spec }) => spec.plan !== undefined)
    .toSorted((a, b) => compareText(b.spec.plan?.madeAt ?? '', a.spec.plan?.madeAt ?? ''))
  const old = plans.filter(
    ({ spec }, index) => index >= LIMITS.rolloutPlans.value - 1 || nowMs - Date.parse(spec.plan?.madeAt ?? '') > LIMITS.rolloutPlanMs.value,
  )
  for (const release of old) await eraseMembers(cluster, `${namespaceOf(release)}/${nameOf(release)}`)
}

function described(
  cluster: Cluster,
  rollout: Rollout,
  parts: readonly ReleaseTemplates[],
  members: readonly RolloutMember[],
  madeAt: string,
): RolloutPlan {
  const subject = { name: nameOf(rollout), namespace: namespaceOf(rollout), spec: rollout.spec, parts, members, madeAt }
  return describePlan(subject, planFacts(cluster, parts))
}

function planFacts(cluster: Cluster, parts: readonly ReleaseTemplates[]): PlanFacts {
  const sizes = new Map<string, number>()
  for (const node of cluster.nodes.values())
    for (const { names, sizeBytes } of node.status?.images ?? [])
      for (const name of names ?? []) if (sizeBytes !== undefined) sizes.set(name, sizeBytes)
  return {
    isSilent(name) {
      const node = cluster.nodes.get(`/${name}`)
      return node === undefined || silentSince(node) !== null
    },
    imagesOn: (name) => imagesOn(cluster, name),
    sizeOf: (image) => sizes.get(image) ?? null,
    linkClassOf(name) {
      const node = cluster.nodes.get(`/${name}`)
      const connected = labelOf(node?.metadata.labels ?? {}, NETWORK_CLASS_LABEL) === 'cellular' ? 'metered' : 'unmetered'
      return (node === undefined ? undefined : linkWish(node)?.class) ?? connected
    },
    startSeconds: startSeconds(cluster, parts),
  }
}

/** A running container proves its image; what a node lists, it has. */
function imagesOn(cluster: Cluster, node: string): ReadonlySet<string> {
  const listed = (cluster.nodes.get(`/${node}`)?.status?.images ?? []).flatMap(({ names }) => names ?? [])
  const running = cluster.pods.by('node', node).flatMap((pod) => {
    const shown = new Set((pod.status?.containerStatuses ?? []).filter(({ imageID }) => (imageID ?? '') !== '').map(({ name }) => name))
    return pod.spec.containers.filter(({ name }) => shown.has(name)).map(({ image }) => image)
  })
  return new Set([...listed, ...running])
}

/** The median of what the pods that run now took from the start of their last container to ready. */
function startSeconds(cluster: Cluster, parts: readonly ReleaseTemplates[]): number | null {
  const took = parts
    .flatMap(({ daemonSetUid }) => cluster.pods.by('owner', daemonSetUid))
    .flatMap((pod) => {
      const started = (pod.status?.containerStatuses ?? []).map(({ state }) => stampOr(state?.running?.startedAt, Number.NaN))
      const ready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')
      const seconds = (stampOr(ready?.lastTransitionTime, Number.NaN) - Math.max(...started)) / 1000
      return Number.isFinite(seconds) && seconds >= 0 ? [seconds] : []
    })
    .toSorted((a, b) => a - b)
  return took.length === 0 ? null : Math.ceil(took[Math.floor(took.length / 2)] ?? 0)
}
