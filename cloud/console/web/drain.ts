/** Drain as kubectl does it: no new pods, then every pod that something makes again elsewhere is asked to end. */
import { send } from './api-write.ts'
import { sorted } from './drain-plan.ts'
import type { DrainPlan, PodShown } from './drain-plan.ts'
import { call } from './session.ts'

export async function planDrain(device: string): Promise<DrainPlan | string> {
  try {
    const response = await call(`/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${device}`)}`)
    if (!response.ok) return `The cloud answered ${response.status}.`
    const { items } = (await response.json()) as { readonly items: readonly PodShown[] }
    return sorted(items)
  } catch (error) {
    return `The cloud cannot be reached: ${error instanceof Error ? error.message : String(error)}.`
  }
}

/** null = all were asked to end; else what went wrong, and how far it came. */
export async function drain(device: string, { moving }: DrainPlan, reason: string): Promise<string | null> {
  const why = `reason=${encodeURIComponent(reason)}`
  const cordoned = await send('PATCH', `/api/v1/nodes/${device}?${why}`, { spec: { unschedulable: true } }, 'application/merge-patch+json')
  if (cordoned !== null) return cordoned
  for (const [at, { metadata }] of moving.entries()) {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/eviction?${why}`
    const failure = await send('POST', path, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: metadata.name, namespace: metadata.namespace },
    })
    // one that has ended meanwhile is what was wanted
    if (failure !== null && !failure.includes('not found')) return `${at} of ${moving.length} pods were asked to end, then: ${failure}`
  }
  return null
}
