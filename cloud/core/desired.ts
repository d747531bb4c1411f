/** What should one device run, as a whole document, and does it have to be sent? */
import { compareVersions } from '../../protocol/accept.ts'
import type { Held } from '../../protocol/accept.ts'
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { desiredDigest } from '../../protocol/desired-state.ts'
import type { DesiredPod, DesiredState, Version } from '../../protocol/desired-state.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Pod } from '../resources/pod.ts'
import { utf8Bytes } from '../resources/metadata-rules.ts'
import { isEvicted, isFinished } from './pod-state.ts'
import { configsOfPod, mergeConfigs } from './configs-beside.ts'
import type { ConfigLookup } from './configs-beside.ts'
import type { Beside } from './images-beside.ts'
import { desiredPod } from './desired-pod.ts'
import { byAge, compareText, isDeleting, uidOf } from './meta.ts'

/** What is remembered about a device's documents; written before a document is sent. */
export interface DeviceRecord extends Version {
  readonly digest: string
  /** pods in the newest document */
  readonly uids: readonly string[]
  /** terminating pods -> the first document without them */
  readonly leftOut: Readonly<Record<string, Version>>
}

export interface DesiredBuild {
  readonly pods: readonly DesiredPod[]
  readonly digest: string
  /** pods that do not fit into the document, by uid */
  readonly refused: ReadonlyMap<string, Cause>
  /** what travels beside the pods: for their images, and the values they take */
  readonly beside?: Beside & Pick<DesiredState, 'configs' | 'telemetry' | 'link' | 'services'>
}

/** Room for the envelope's header, ids, numbers and the brackets around the pods. */
const FRAME_BYTES = LIMITS.envelopeHeaderBytes.value

/**
 * @param bound pods whose spec.nodeName is this device, in any order
 * @param scheduled a pod as each schedule in `images` would run it
 * @param published uids of the newest document: what already runs is never pushed out by what comes later
 */
export function buildDesired(
  bound: readonly Pod[],
  published: readonly string[],
  images: Beside & Pick<DesiredState, 'telemetry' | 'link' | 'services'> = {},
  lookup: ConfigLookup = () => undefined,
  scheduled: readonly Pod[] = [],
): DesiredBuild {
  const running = new Set(published)
  const wanted = bound
    // what the device gave up must not come back there
    .filter((pod) => !isDeleting(pod) && !isEvicted(pod))
    .sort(
      (a, b) =>
        // what ended is there for its logs only: it never takes the room of what is to run
        Number(isFinished(a)) - Number(isFinished(b)) ||
        Number(running.has(uidOf(b))) - Number(running.has(uidOf(a))) ||
        (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
        byAge(a, b) ||
        compareText(uidOf(a), uidOf(b)),
    )
  const refused = new Map<string, Cause>()
  const taken: DesiredPod[] = []
  let bytes = FRAME_BYTES + utf8Bytes(JSON.stringify(images))
  let configs = mergeConfigs(scheduled.flatMap((pod) => configsOfPod(pod, lookup)))
  bytes += configs.length === 0 ? 0 : utf8Bytes(JSON.stringify(configs))
  for (const pod of wanted) {
    const desired = desiredPod(pod)
    const withItsOwn = mergeConfigs([...configs, ...configsOfPod(pod, lookup)])
    const size = utf8Bytes(JSON.stringify(desired)) + 1 + utf8Bytes(JSON.stringify(withItsOwn)) - utf8Bytes(JSON.stringify(configs))
    const full = taken.length >= LIMITS.podsPerDevice.value || withItsOwn.length > LIMITS.configsPerDevice.value
    if (full || bytes + size > LIMITS.desiredStateBytes.value) {
      if (isFinished(pod)) continue
      refused.set(uidOf(pod), cause('desired.too-many', { bytes: bytes + size, max: LIMITS.desiredStateBytes.value, pods: taken.length }))
      continue
    }
    bytes += size
    taken.push(desired)
    configs = withItsOwn
  }
  taken.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name) || compareText(a.uid, b.uid))
  const beside = configs.length === 0 ? images : { ...images, configs }
  return { pods: taken, digest: desiredDigest(taken, beside), refused, beside }
}

/** The next record, or null when the newest document already says the same. */
export function nextRecord(record: DeviceRecord | null, build: DesiredBuild, bound: readonly Pod[], epoch: number): DeviceRecord | null {
  if (record !== null && record.digest === build.digest && record.epoch >= epoch) return null
  const version: Version =
    record === null || record.epoch < epoch ? { epoch, generation: 1 } : { epoch: record.epoch, generation: record.generation + 1 }
  const uids = build.pods.map((pod) => pod.uid)
  const leftOut: Record<string, Version> = {}
  // kept while the pod object exists, so that its end can be told from what the device holds
  for (const uid of bound.filter(isDeleting).map(uidOf)) {
    const before = record?.leftOut[uid]
    if (before !== undefined) leftOut[uid] = before
    else if (record !== null && (record.uids.includes(uid) || record.epoch < epoch)) leftOut[uid] = version
  }
  return { ...version, digest: build.digest, uids, leftOut }
}

export function documentOf(device: string, record: DeviceRecord, build: DesiredBuild, nowIso: string): DesiredState {
  return { device, epoch: record.epoch, generation: record.generation, issuedAt: nowIso, digest: build.digest, pods: build.pods, ...build.beside }
}

export interface DeviceHeld extends Held {
  /**
   * True when the digest is of exactly that pair (a status report). A hello names the highest pair ever persisted, and after
   * a damaged state file the digest of an older document or none: then the same pair is sent again, and the device decides.
   */
  readonly firm: boolean
}

/** May the record's document be sent to a device that says it holds `held`? A cause means: no, tell people. */
export function heldFault(record: Held, held: DeviceHeld | null): Cause | null {
  if (held === null) return null
  const order = compareVersions(held, record)
  if (order < 0 || (order === 0 && (held.digest === record.digest || !held.firm))) return null
  return cause('desired.behind', {
    held: `${held.epoch}/${held.generation} ${held.digest.slice(0, 8)}`,
    ours: `${record.epoch}/${record.generation} ${record.digest.slice(0, 8)}`,
  })
}

/** The digest is of the document on its disk, so that an equal one leaves nothing to send. */
export function isHeld(record: DeviceRecord, held: DeviceHeld | null): boolean {
  return held !== null && held.digest === record.digest && compareVersions(held, record) === 0
}
