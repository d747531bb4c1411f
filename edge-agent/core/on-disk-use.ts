/** What pods hold on the disk, measured now and then: whoever is above the limit of a volume has to go, as with the kubelet. */
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { humanBytes, parseUnits } from '../../protocol/units.ts'
import type { DesiredPod, Now } from './model.ts'
import { act } from './on-observed.ts'
import { withEvicted } from './on-pressure.ts'
import type { VolumeUse } from './scratch-volumes.ts'
import type { AgentState } from './state.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

export function onDiskUse(state: AgentState, use: VolumeUse, now: Now): Turn {
  if (state.knowledge !== 'known' || state.desired === null) return quiet(state)
  const { evicted } = state.pressure
  const over = state.desired.pods.flatMap((pod): readonly (readonly [DesiredPod, Cause])[] => {
    const why = evicted[pod.uid] === undefined ? overLimit(pod, use[pod.uid] ?? {}) : null
    return why === null ? [] : [[pod, why]]
  })
  if (over.length === 0) return quiet(state)
  const given = Object.fromEntries(over.map(([{ uid }, why]) => [uid, why]))
  const logs = over.map(([pod, why]) => ({
    kind: 'log' as const,
    level: 'warn' as const,
    msg: 'a pod is evicted',
    fields: { pod: `${pod.namespace}/${pod.name}`, why: causeSentence(why) },
  }))
  return andThen(turn(withEvicted(state, { ...evicted, ...given }), ...logs), (next) => act(next, now))
}

function overLimit({ spec }: DesiredPod, held: Readonly<Record<string, number>>): Cause | null {
  for (const { name, emptyDir } of spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory' ? null : parseUnits(emptyDir.sizeLimit)
    const bytes = held[name] ?? 0
    if (limit !== null && bytes > limit) return cause('volume.limit', { volume: name, has: humanBytes(bytes), limit: humanBytes(limit) })
  }
  return null
}
