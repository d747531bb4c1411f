/** Which taints a pod puts up with. Rules of `core/v1` Toleration.ToleratesTaint. */
import type { Toleration } from '../../../../protocol/pod.ts'
import type { Taint } from '../../../resources/node.ts'

export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false
    if (toleration.key !== undefined && toleration.key !== '' && toleration.key !== taint.key) return false
    if (toleration.operator === 'Exists') return true
    // an empty key with Equal matches nothing but an empty key
    if (toleration.key === undefined || toleration.key === '') return false
    return (toleration.value ?? '') === (taint.value ?? '')
  })
}

export function taintText(taint: Taint): string {
  return `${taint.key}${taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`
}
