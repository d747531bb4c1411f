/**
 * Lanes for the folders of pods, apart from containers: new files for pods that run on, and what pods that are gone left
 * behind. INVARIANTS: nothing of a pod that is desired, or of which a container exists, is ever dropped; without a list of
 * the folders nothing is.
 */
import { SANDBOX } from '../../protocol/desired-state.ts'
import { placeOf, preparedVolumes } from './container-plan.ts'
import type { DesiredPod, DesiredState, Lane, ObservedContainer, Step, Verdict } from './model.ts'
import type { Ledger } from './saved-model.ts'
import type { VolumesSeen } from './state.ts'
import type { LaneItem } from './order.ts'
import { waitingCause } from './verdict.ts'

type Input = Parameters<typeof placeOf>[0] & {
  readonly ledger: Ledger
  readonly observed: readonly ObservedContainer[]
  readonly volumes?: VolumesSeen
}

interface Judged {
  readonly verdicts: readonly Verdict[]
  readonly items: readonly LaneItem[]
}

/** In ledger keys, where a container's name stands; no container can have it. */
const VOLUMES = 'VOLUMES'

export function isVolumeKey(key: string): boolean {
  return key.includes(`/${VOLUMES}/`)
}

export function volumeItems(input: Input, desired: DesiredState, nowMonoMs: number): readonly Judged[] {
  const { volumes, observed } = input
  if (volumes === undefined) return []
  const place = placeOf(input)
  const there = new Set(observed.map(({ podUid }) => podUid))
  const wanted = new Set(desired.pods.map(({ uid }) => uid))
  const fresh = desired.pods.flatMap((pod): readonly Judged[] => {
    const made = there.has(pod.uid) ? preparedVolumes(pod, desired, place) : null
    if (made === null || made.folders.length === 0 || volumes.written[pod.uid] === made.digest) return []
    const key = `${pod.uid}/${VOLUMES}/files`
    return [attempt(key, pod, [{ kind: 'prepare-volumes', key, volumes: made }], input, nowMonoMs)]
  })
  const left = volumes.pods
    .filter((uid) => !wanted.has(uid) && !there.has(uid))
    .map((podUid) => {
      const key = `${podUid}/${VOLUMES}/gone`
      return attempt(key, null, [{ kind: 'drop-volumes', key, podUid }], input, nowMonoMs)
    })
  return [...fresh, ...left]
}

function attempt(key: string, pod: DesiredPod | null, steps: readonly Step[], { ledger }: Input, nowMonoMs: number): Judged {
  const entry = ledger[key]
  const notBeforeMonoMs = entry?.notBeforeMonoMs ?? null
  if (entry === undefined || notBeforeMonoMs === null || notBeforeMonoMs <= nowMonoMs) {
    const lane: Lane = { key, steps }
    return { verdicts: [], items: [{ lane, kind: 'start', claims: [], frees: null }] }
  }
  const identity = {
    podUid: key.split('/')[0] ?? '',
    specHash: pod?.specHash ?? '',
    namespace: pod?.namespace ?? '',
    podName: pod?.name ?? '',
    containerName: SANDBOX,
    name: key,
  }
  const verdict: Verdict = {
    kind: 'blocked',
    identity,
    reason: 'its volumes wait for the next try',
    cause: waitingCause(entry, null),
    notBeforeMonoMs,
  }
  return { verdicts: [verdict], items: [] }
}
