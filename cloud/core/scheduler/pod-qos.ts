/** Quality of service class of a pod, by Kubernetes' rule: only cpu and memory count. */
import type { PodSpec } from '../../../protocol/pod.ts'
import { parseMilli } from '../../../protocol/units.ts'
import type { Qos } from './numa/zone.ts'

type Amount = string | number

export function podQos(spec: PodSpec): Qos {
  let asksAny = false
  let guaranteed = true
  for (const { resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const name of ['cpu', 'memory']) {
      const limit = positive(resources?.limits?.[name])
      const request = positive(resources?.requests?.[name]) ?? limit
      if (limit !== null || request !== null) asksAny = true
      if (limit === null || request !== limit) guaranteed = false
    }
  }
  if (!asksAny) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

/** Whole CPUs in every container: CPUs of its own are not cut up among fractions. */
export function asksWholeCpus(spec: PodSpec): boolean {
  return spec.containers.every(({ resources }) => {
    const milli = positive(resources?.limits?.['cpu'])
    return milli !== null && milli % 1000 === 0
  })
}

/** In thousandths; zero counts as not said. */
function positive(value: Amount | undefined): number | null {
  const amount = value === undefined ? 0 : (parseMilli(value) ?? 0)
  return amount > 0 ? amount : null
}
