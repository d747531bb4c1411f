/**
 * Images of a revision that is to come, fetched while the one before it runs. INVARIANTS: fetching has keys of its own, so that
 * it never holds up a restart of what runs; its images are asked for as the revision itself will ask.
 */
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'
import { identityOf, ledgerKey, pullPolicyOf } from './identity.ts'
import { imageUseOf } from './image-use.ts'
import type { ContainerSpec, Lane, Step, Verdict } from './model.ts'
import type { LaneItem } from './order.ts'
import type { Ledger } from './saved-model.ts'
import type { PendingUpdate, PodRecord, Records } from './update-model.ts'
import { waitingCause } from './verdict.ts'

/** In ledger keys, before a container's name; no container can be called so. */
const FETCH = 'FETCH-'

export function isFetchKey(key: string): boolean {
  return key.includes(`/${FETCH}`)
}

/** True when all images of the wanted revision were found on the device in this session. */
export function isFetched({ fetched }: PodRecord, pod: DesiredPod): boolean {
  return fetched?.hash === pod.specHash && containersOf(pod).every(({ name }) => fetched.containers.includes(name))
}

/** What keeps its images away, when the next try has to wait. */
export function fetchFailure(
  pod: DesiredPod,
  ledger: Ledger,
  nowMonoMs: number,
): { readonly cause: Cause; readonly notBeforeMonoMs: number | null } | null {
  for (const container of containersOf(pod)) {
    const entry = ledger[fetchKey(pod, container)]
    if (entry !== undefined && entry.failures > 0)
      return { cause: waitingCause(entry, null), notBeforeMonoMs: (entry.notBeforeMonoMs ?? 0) > nowMonoMs ? entry.notBeforeMonoMs : null }
  }
  return null
}

/** What waits, as the plan shows it, and the lanes that fetch. */
export function pendingItems(
  pending: Readonly<Record<string, PendingUpdate>>,
  records: Records,
  ledger: Ledger,
  nowMonoMs: number,
): readonly { readonly verdicts: readonly Verdict[]; readonly items: readonly LaneItem[] }[] {
  return Object.values(pending).map(({ pod, cause, notBeforeMonoMs, reason }) => {
    const [first] = pod.spec.containers
    const verdict: Verdict = {
      kind: 'blocked',
      identity: identityOf(pod, first?.name ?? '', pod.specHash),
      reason: `revision ${pod.specHash.slice(0, 8)} waits`,
      cause,
      ...(notBeforeMonoMs === null ? {} : { notBeforeMonoMs }),
    }
    const here = records[pod.uid]?.fetched
    const missing =
      reason === 'Downloading' ? containersOf(pod).filter(({ name }) => here?.hash !== pod.specHash || !here.containers.includes(name)) : []
    const due = missing.filter((container) => (ledger[fetchKey(pod, container)]?.notBeforeMonoMs ?? 0) <= nowMonoMs)
    return { verdicts: [verdict], items: due.map((container) => fetchItem(pod, container)) }
  })
}

/** Keys of the lanes that fetch for this revision. */
export function fetchKeys(pod: DesiredPod): readonly string[] {
  return containersOf(pod).map((container) => fetchKey(pod, container))
}

/** An image of a revision that is to come is here. */
export function noteFetched(records: Records, step: Step): Records {
  if (step.kind !== 'ensure-image' || !isFetchKey(step.key)) return records
  const [uid = '', slot = '', hash8 = ''] = step.key.split('/')
  const record = records[uid]
  if (record === undefined || step.revision === undefined || !step.revision.startsWith(hash8)) return records
  const containers = record.fetched?.hash === step.revision ? record.fetched.containers : []
  const name = slot.slice(FETCH.length)
  return { ...records, [uid]: { ...record, fetched: { hash: step.revision, containers: [...containers.filter((one) => one !== name), name] } } }
}

function fetchItem(pod: DesiredPod, container: ContainerSpec): LaneItem {
  const key = fetchKey(pod, container)
  const step: Step = {
    kind: 'ensure-image',
    key,
    image: container.image,
    policy: pullPolicyOf(container),
    use: imageUseOf(pod),
    revision: pod.specHash,
  }
  const lane: Lane = { key, steps: [step] }
  return { lane, kind: 'create', claims: [], frees: null }
}

function fetchKey(pod: DesiredPod, container: ContainerSpec): string {
  return ledgerKey(pod.uid, `${FETCH}${container.name}`, pod.specHash)
}

function containersOf({ spec }: DesiredPod): readonly ContainerSpec[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}
