/** Takes away mutes that have ended: nobody looks them up again, and who made them is in the audit log. Without mutes it sleeps. */
import { LIMITS } from '../../protocol/limits.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { Store } from '../ports.ts'
import type { Mute } from '../resources/mute.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

const MUTES = 'mutes.skerry.dev'

export function startMuteController(deps: ControllerDeps & { readonly store: Store }): Controller {
  const { store, clock } = deps
  const controller = runController(deps, 'mutes', async () => {
    const listed = await store.list(MUTES)
    let left = false
    for (const { json, name, revision } of listed.ok ? listed.items : []) {
      const { spec } = JSON.parse(json) as Mute
      // only as it was read: it may have been made longer just now
      if (parseStamp(spec.until) < clock.nowMs()) await store.delete(MUTES, '', name, revision)
      else left = true
    }
    return left ? LIMITS.muteLookMs.value : null
  })
  const look = (): void => controller.queue.add('ended')
  const stopWatching = store.watch(MUTES, null, { onChange: look, onExpired: look })
  look()
  return {
    ...controller,
    stop: () => {
      stopWatching()
      return controller.stop()
    },
  }
}
