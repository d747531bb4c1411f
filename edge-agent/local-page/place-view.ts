/** Where each workload of the page sits on the hardware, or would sit once it starts. */
import { LIMITS } from '../../protocol/limits.ts'
import type { PlaceFacts } from '../../protocol/topology-facts.ts'
import { parseUnits } from '../../protocol/units.ts'
import { pidsLimitOf } from '../core/identity.ts'
import type { DesiredPod, ObservedContainer } from '../core/model.ts'
import type { AgentState } from '../core/state.ts'
import type { WorkloadView } from './view-model.ts'

/** In the order of the workloads: letters of the picture are their places in that list. */
export function placesOf(state: AgentState, workloads: readonly WorkloadView[]): readonly PlaceFacts[] {
  return workloads.slice(0, LIMITS.podsPerDevice.value).map((one) => {
    const pod = state.desired?.pods.find(({ uid }) => uid === one.uid)
    const found = (state.observed ?? []).filter((each) => (pod === undefined ? each.name === one.log : each.podUid === pod.uid))
    return placeOf(`${one.namespace}/${one.name}`, pod, found)
  })
}

function placeOf(name: string, pod: DesiredPod | undefined, found: readonly ObservedContainer[]): PlaceFacts {
  const running = found.filter(({ state }) => state === 'running' || state === 'paused')
  const { cpus, memoryNodes = '', gpus = [] } = pod?.placement ?? {}
  return {
    name,
    cpus: running.find(({ ownCpus }) => ownCpus !== undefined)?.ownCpus ?? cpus ?? '',
    memoryNodes,
    gpus,
    memoryBytes: pod === undefined ? null : memoryOf(pod),
    pids: pidsText(running, pod),
    when: pod === undefined ? 'now' : running.length > 0 ? 'both' : 'plan',
  }
}

function memoryOf({ spec }: DesiredPod): number | null {
  const asked = spec.containers.map(({ resources }) => resources?.requests?.['memory'] ?? resources?.limits?.['memory'])
  return asked.some((one) => one !== undefined) ? asked.reduce<number>((sum, one) => sum + (one === undefined ? 0 : (parseUnits(one) ?? 0)), 0) : null
}

/** `812 app, 830 sidecar; at most 64 each` */
function pidsText(running: readonly ObservedContainer[], pod: DesiredPod | undefined): string {
  const first = running.flatMap(({ pid, containerName }) => (pid === undefined ? [] : [`${pid} ${containerName}`]))
  const limit = pod === undefined ? [] : [`at most ${pidsLimitOf(pod)}${pod.spec.containers.length > 1 ? ' each' : ''}`]
  return [...(first.length === 0 ? [] : [first.join(', ')]), ...limit].join('; ')
}
