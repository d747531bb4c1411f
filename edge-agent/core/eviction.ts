/**
 * Local eviction: when the device runs short of memory, PIDs or disk, pods are given up one at a time, so that the device and
 * its more important pods live on. Thresholds, order and names are the kubelet's. INVARIANTS
 * - One victim at a time: the next only after the last has gone and a later sample is still short.
 * - A signal stays short until it is above its threshold by the minimum reclaim; its condition holds for a while longer.
 * - Never a critical pod, and for want of disk only a pod that is known to use some.
 * - An evicted pod is not started again: the cloud decides what comes in its place.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { parseUnits } from '../../protocol/units.ts'
import type { DesiredPod, ObservedContainer } from './model.ts'
import { SIGNALS } from './pressure-model.ts'
import type { Level, Pressure, PressureSample, Short, Signal } from './pressure-model.ts'

/** Is anything below its threshold? Then usage is worth reading. */
export function isShort({ levels }: Pick<PressureSample, 'levels'>): boolean {
  return SIGNALS.some((signal) => {
    const level = levels[signal]
    return level !== undefined && level.available < thresholdOf(signal, level.total)
  })
}

/** Signals after a sample. @param holdMs how long a condition for which nobody had to go holds after the last sample that was short */
export function noteSample(
  short: Pressure['short'],
  { levels }: PressureSample,
  nowMonoMs: number,
  holdMs: number = LIMITS.evictionHoldMs.value,
): Pressure['short'] {
  const next: Partial<Record<Signal, Short>> = {}
  for (const signal of SIGNALS) {
    const before = short[signal]
    const level = levels[signal]
    const is = level === undefined ? (before?.now ?? false) : below(signal, level, before?.now === true)
    if (is)
      next[signal] = {
        now: true,
        lastShortMonoMs: nowMonoMs,
        cause: level === undefined ? (before?.cause ?? shortCause(signal, null)) : causeOf(before, signal, level),
        ...(before?.gave === true ? { gave: true as const } : {}),
      }
    else if (before !== undefined && nowMonoMs - before.lastShortMonoMs < (before.gave === true ? LIMITS.evictionHoldMs.value : holdMs))
      next[signal] = { ...before, now: false }
  }
  return next
}

/** The pod to give up now, or null. `pods` without those that are evicted. */
export function chooseVictim(
  short: Pressure['short'],
  pods: readonly DesiredPod[],
  observed: readonly ObservedContainer[],
  { usage, podDisk = {} }: Pick<PressureSample, 'usage' | 'podDisk'>,
): { readonly pod: DesiredPod; readonly signal: Signal; readonly cause: Cause } | null {
  const signal = SIGNALS.find((one) => short[one]?.now === true)
  const why = signal === undefined ? undefined : short[signal]?.cause
  if (signal === undefined || why === undefined) return null
  const [first] = rank(signal, pods, observed, usage, podDisk)
  return first === undefined ? null : { pod: first, signal, cause: why }
}

/** Who goes first: those above what they asked for, then by priority, then by how far above; the name makes it total. */
export function rank(
  signal: Signal,
  pods: readonly DesiredPod[],
  observed: readonly ObservedContainer[],
  usage: PressureSample['usage'],
  podDisk: Readonly<Record<string, number>> = {},
): readonly DesiredPod[] {
  const held = new Map<string, number>()
  for (const { podUid, id, state } of observed) if (state === 'running') held.set(podUid, (held.get(podUid) ?? 0) + (usage[id]?.[signal] ?? 0))
  if (signal === 'disk') for (const [uid, bytes] of Object.entries(podDisk)) if (held.has(uid)) held.set(uid, (held.get(uid) ?? 0) + bytes)
  const candidates = pods
    .filter((pod) => held.has(pod.uid) && (pod.spec.priority ?? 0) < CRITICAL)
    .map((pod) => ({ pod, used: held.get(pod.uid) ?? 0, over: (held.get(pod.uid) ?? 0) - requested(signal, pod), priority: pod.spec.priority ?? 0 }))
    .filter(({ used }) => signal !== 'disk' || used >= LIMITS.evictionDiskWorthBytes.value)
  // PIDs are not requested, so that nobody is "above" anything: priority comes first
  const above = (over: number): number => (signal !== 'pids' && over > 0 ? 0 : 1)
  return candidates
    .toSorted((a, b) => above(a.over) - above(b.over) || a.priority - b.priority || b.over - a.over || (a.pod.uid < b.pod.uid ? -1 : 1))
    .map(({ pod }) => pod)
}

/** system-node-critical and system-cluster-critical begin here. */
const CRITICAL = 2_000_000_000

/** May a pod be begun here now? Only critical ones while something is short: whoever comes would be the next victim. */
export function pressureAdmits(pod: DesiredPod, { short }: Pressure): Cause | null {
  if ((pod.spec.priority ?? 0) >= CRITICAL) return null
  for (const signal of SIGNALS) {
    const one = short[signal]
    if (one !== undefined) return one.cause
  }
  return null
}

/** What the device level of a report says: one cause for each signal, while it is short or held. */
export function pressureCauses({ short }: Pressure): readonly Cause[] {
  return SIGNALS.flatMap((signal) => short[signal]?.cause ?? [])
}

function below(signal: Signal, { available, total }: Level, wasShort: boolean): boolean {
  const threshold = thresholdOf(signal, total)
  return available < (wasShort ? threshold + threshold * (LIMITS.evictionReclaimPercent.value / 100) : threshold)
}

function thresholdOf(signal: Signal, total: number): number {
  switch (signal) {
    case 'memory':
      // on a device with little memory the kubelet's amount would be most of it
      return Math.min(LIMITS.evictionMemoryBytes.value, total * (LIMITS.evictionMemoryPercent.value / 100))
    case 'pids':
      return total * (LIMITS.evictionPidsPercent.value / 100)
    case 'disk':
      return Math.min(LIMITS.evictionDiskBytes.value, total * (LIMITS.evictionDiskPercent.value / 100))
  }
}

/** The numbers of the moment it began: a cause that changes with each sample would be sent up each time. */
function causeOf(before: Short | undefined, signal: Signal, level: Level): Cause {
  return before?.now === true ? before.cause : shortCause(signal, level)
}

function shortCause(signal: Signal, level: Level | null): Cause {
  const amount = (value: number): string => (signal === 'pids' ? String(Math.floor(value)) : `${Math.floor(value / 2 ** 20)} MiB`)
  const facts = level === null ? {} : { has: amount(level.available), total: amount(level.total), needs: amount(thresholdOf(signal, level.total)) }
  return cause(`device.pressure.${signal}`, facts)
}

/** What the pod asked for, in the signal's unit. */
function requested(signal: Signal, { spec }: DesiredPod): number {
  const name = signal === 'disk' ? 'ephemeral-storage' : signal
  return spec.containers.reduce((sum, { resources }) => {
    const asked = resources?.requests?.[name] ?? resources?.limits?.[name]
    return sum + (asked === undefined ? 0 : (parseUnits(asked) ?? 0))
  }, 0)
}
