/** What keeps a pod from being looked at by any rule of the scheduler. */
import { cause, causeSentence } from '../../../protocol/causes.ts'
import type { Pod } from '../../resources/pod.ts'

export interface HeldBack {
  readonly sentence: string
  readonly reason: string
}

/** @param known is the scheduler that it names one of these? */
export function heldBack(pod: Pod, known: boolean, schedulers: Iterable<string>): HeldBack | null {
  const gates = pod.spec.schedulingGates ?? []
  if (gates.length > 0) {
    const why = cause('placement.gated', { gates: gates.map(({ name }) => name).join(', ') })
    return { sentence: `The pod ${causeSentence(why)}.`, reason: 'SchedulingGated' }
  }
  if (known) return null
  const why = cause('placement.scheduler.unknown', { name: pod.spec.schedulerName ?? '', has: [...schedulers].join(', ') })
  return { sentence: `The pod ${causeSentence(why)}.`, reason: 'Unschedulable' }
}
