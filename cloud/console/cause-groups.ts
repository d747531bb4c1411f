/** What is wrong over the whole fleet, by cause: kept up to date row by row, so that nobody walks a hundred thousand devices. */
import type { CauseGroup, CausesPart, MuteView } from './live-protocol.ts'
import type { CauseView, DeviceRow, PodRow } from './view-model.ts'

interface Group {
  readonly tone: CauseGroup['tone']
  readonly devices: Map<string, CauseView>
  readonly pods: Map<string, { readonly cause: CauseView; readonly href: string }>
  readonly sinceMs: number | null
}

const MOST = 30
const SAMPLES = 6
const WEIGHT: Readonly<Record<CauseGroup['tone'], number>> = { bad: 0, warn: 1, unknown: 2 }

const SILENT: CauseView = {
  code: 'node.silent',
  says: 'Not heard for a while; what runs there is left as it is.',
  next: 'Check power and network of the device.',
}
const NEVER: CauseView = { code: 'node.never-seen', says: 'Known by name, but has never reported.', next: 'Start its agent with the join file.' }

export class CauseGroups {
  readonly #groups = new Map<string, Group>()
  #nowMs: number | null = null

  /** From now on a new group has a known beginning. */
  at(nowMs: number): void {
    this.#nowMs = nowMs
  }

  device(before: DeviceRow | null, after: DeviceRow | null): void {
    const [old, fresh] = [before === null ? [] : ofDevice(before), after === null ? [] : ofDevice(after)]
    if (before !== null) for (const { key } of old) if (!fresh.some((one) => one.key === key)) this.#drop(key, 'devices', before.name)
    if (after !== null) for (const { key, tone, cause } of fresh) this.#group(key, tone).devices.set(after.name, cause)
  }

  pod(before: PodRow | null, after: PodRow | null): void {
    const [old, fresh] = [before === null ? null : ofPod(before), after === null ? null : ofPod(after)]
    if (before !== null && old !== null && old.key !== fresh?.key) this.#drop(old.key, 'pods', before.key)
    if (after !== null && fresh !== null) this.#group(fresh.key, 'bad').pods.set(after.key, { cause: fresh.cause, href: `/console/why/${after.key}` })
  }

  /** The worst and widest first; what somebody muted comes last. @param mutes by the key of the problem */
  part(mutes: ReadonlyMap<string, MuteView>): CausesPart {
    const size = (group: Group): number => Math.max(group.devices.size, group.pods.size)
    const sorted = [...this.#groups].sort(
      ([keyA, a], [keyB, b]) =>
        Number(mutes.has(keyA)) - Number(mutes.has(keyB)) ||
        WEIGHT[a.tone] - WEIGHT[b.tone] ||
        size(b) - size(a) ||
        (keyA < keyB ? -1 : keyA > keyB ? 1 : 0),
    )
    return { groups: sorted.slice(0, MOST).map(([key, group]) => told(key, group, mutes.get(key) ?? null)), more: Math.max(0, sorted.length - MOST) }
  }

  #group(key: string, tone: CauseGroup['tone']): Group {
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const made: Group = { tone, devices: new Map(), pods: new Map(), sinceMs: this.#nowMs }
    this.#groups.set(key, made)
    return made
  }

  #drop(key: string, what: 'devices' | 'pods', member: string): void {
    const group = this.#groups.get(key)
    group?.[what].delete(member)
    if (group !== undefined && group.devices.size + group.pods.size === 0) this.#groups.delete(key)
  }
}

interface Found {
  readonly key: string
  readonly tone: CauseGroup['tone']
  readonly cause: CauseView
}

/** A silent device is one problem; its pods are not counted again, they are `unknown`. */
function ofDevice(row: DeviceRow): readonly Found[] {
  if (row.word === 'offline') return [{ key: 'node.silent', tone: 'unknown', cause: SILENT }]
  if (row.word === 'never-seen') return [{ key: 'node.never-seen', tone: 'unknown', cause: NEVER }]
  return row.causes.map((cause) => ({ key: keyOf(cause), tone: 'warn', cause }))
}

function ofPod(row: PodRow): { readonly key: string; readonly cause: CauseView } | null {
  if (row.tone !== 'bad') return null
  const cause = row.cause ?? { code: '', says: `The pod is ${row.word}.`, next: '' }
  return { key: keyOf(cause), cause }
}

function keyOf({ code, says }: CauseView): string {
  return code === '' ? says : code
}

function told(key: string, { tone, devices, pods, sinceMs }: Group, mute: MuteView | null): CauseGroup {
  const [pod] = pods.values()
  const [device] = devices.values()
  const cause = device ?? pod?.cause ?? { code: key, says: key, next: '' }
  const samples = [
    ...first(pods, SAMPLES).map(([label, { href }]) => ({ label, href })),
    ...first(devices, SAMPLES).map(([label]) => ({ label, href: `/console/devices/${label}` })),
  ]
  return {
    key,
    cause,
    tone,
    devices: devices.size,
    pods: pods.size,
    sinceMs,
    samples: samples.slice(0, SAMPLES),
    href: listOf(cause, devices.size > 0),
    mute,
  }
}

function first<V>(map: ReadonlyMap<string, V>, most: number): readonly (readonly [string, V])[] {
  const found: (readonly [string, V])[] = []
  for (const entry of map) {
    if (found.length === most) break
    found.push(entry)
  }
  return found
}

function listOf(cause: CauseView, devices: boolean): string {
  if (cause.code === 'node.silent') return '/console/devices?q=state%3Aoffline'
  if (cause.code === 'node.never-seen') return '/console/devices?q=state%3Anever-seen'
  const query = cause.code === '' ? '' : `cause:${cause.code}`
  return `/console/${devices ? 'devices' : 'pods'}?q=${encodeURIComponent(query)}`
}
