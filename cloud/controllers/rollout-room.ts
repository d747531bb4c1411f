/** Whether the new revision has room on a device, by a dry run of the scheduler. */
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause, WireCause } from '../../protocol/causes.ts'
import { canUpdateInPlace } from '../core/in-place.ts'
import { keyOf, uidOf } from '../core/meta.ts'
import { podFromTemplate } from '../core/pod-template.ts'
import type { Pod } from '../resources/pod.ts'
import type { ReleaseTemplates } from '../resources/rollout-members.ts'

/** Why the scheduler would not have this pod on this node in place of the one with that uid. */
export type DryRun = (pod: Pod, node: string, insteadOf: string | null) => readonly Cause[]

interface Here {
  readonly part: ReleaseTemplates
  readonly pod: Pod | undefined
}

/** Why the new revision has no room on a device. A pod that changes in place keeps what it was given. */
export function refusalOf(node: string, here: readonly Here[], dryRun: DryRun): WireCause | null {
  for (const { part, pod } of here) {
    if (pod !== undefined && canUpdateInPlace(pod, part.next)) continue
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: part.daemonSet, namespace: pod?.metadata.namespace ?? '' } }
    const fresh = podFromTemplate(owner, part.next, { suffix: 'plan' })
    const [first, ...more] = dryRun(
      { ...fresh, metadata: { ...fresh.metadata, uid: `plan/${keyOf(fresh)}/${node}` } },
      node,
      pod === undefined ? null : uidOf(pod),
    )
    if (first === undefined) continue
    return cause('rollout.no-room', { why: [first, ...more].map(causeSentence).join('; ') })
  }
  return null
}
