/** Which taints a pod puts up with. Rules of `core/v1` Toleration.ToleratesTaint. */
import type { Toleration } from '../../../../protocol/pod.ts'
import type { Taint } from '../../../resources/node.ts'

export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false
    if (toleration.key !== undefined && toleration.key !== '' && toleration.key !== taint.key) return false
    if (toleration.operator === 'Exists') return true
    if (toleration.operator === 'Gt' || toleration.operator === 'Lt') return compares(toleration.operator, taint.value ?? '', toleration.value ?? '')
    // an empty key with Equal matches nothing but an empty key
    if (toleration.key === undefined || toleration.key === '') return false
    return (toleration.value ?? '') === (taint.value ?? '')
  })
}

const WHOLE = /^(0|-?[1-9]\d*)$/

/** Is the taint's number greater (or less) than the toleration's? Anything but whole numbers compares to nothing. */
function compares(operator: 'Gt' | 'Lt', taint: string, bound: string): boolean {
  if (!WHOLE.test(taint) || !WHOLE.test(bound)) return false
  return operator === 'Gt' ? BigInt(taint) > BigInt(bound) : BigInt(taint) < BigInt(bound)
}

export function taintText(taint: Taint): string {
  return `${taint.key}${taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`
}
