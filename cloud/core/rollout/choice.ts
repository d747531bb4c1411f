/** Which devices a choice of a Rollout means. */
import { selects } from '../../resources/label-selector.ts'
import type { Labels } from '../../resources/label-selector.ts'
import type { NodeChoice, RolloutSpec } from '../../resources/rollout-spec.ts'

export type Chooser = (node: string, labels: Labels | undefined) => boolean

/** Either of selector and names is enough. A choice of neither is nobody. */
export function chooser({ selector, names }: NodeChoice): Chooser {
  const named = new Set(names ?? [])
  return (node, labels) => named.has(node) || (selector !== undefined && selects(selector, labels))
}

/** `spec.target`; absent or empty means every device. */
export function targetOf(spec: RolloutSpec): Chooser {
  return hasTarget(spec) ? chooser(spec.target ?? {}) : () => true
}

/** A Rollout that names no target is for the whole DaemonSet, and becomes the DaemonSet's own template at its end. */
export function hasTarget(spec: RolloutSpec): boolean {
  return spec.target?.selector !== undefined || spec.target?.names !== undefined
}

/** Why an operator left a device out; null = nobody did. */
export function exclusionOf(spec: RolloutSpec): (node: string, labels: Labels | undefined) => string | null {
  const rules = (spec.exclude ?? []).map((choice) => ({ has: chooser(choice), reason: choice.reason ?? 'no reason was given' }))
  return (node, labels) => rules.find((rule) => rule.has(node, labels))?.reason ?? null
}
