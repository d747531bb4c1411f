/**
 * A local override: what a person on site decided for a while, against or beside the desired state. Always with an owner, a
 * reason and an end. It is reported up, so that nobody in the cloud wonders why a device does not follow.
 */
import { LIMITS } from './limits.ts'
import { int, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

/** restart = once; hold = stopped and kept stopped; run-previous = the release before; hold-update = what runs goes on, no new
 * release is begun; update-now = locks and windows do not count; safe-mode = no new desired state is applied. */
export const OVERRIDE_KIND = oneOf('restart', 'hold', 'run-previous', 'hold-update', 'update-now', 'safe-mode')

export const OVERRIDE_REPORT = obj({
  id: required(str({ min: 1, max: 64 })),
  kind: required(OVERRIDE_KIND),
  /** absent = the whole device */
  pod: obj({ uid: required(str({ max: 64 })), namespace: required(str({ max: 63 })), name: required(str({ max: 253 })) }),
  owner: required(str({ min: 1, max: LIMITS.overrideTextLength.value })),
  reason: required(str({ min: 1, max: LIMITS.overrideTextLength.value })),
  /** RFC 3339 by the device's clock, for people only */
  since: required(str({ max: 40 })),
  /** milliseconds from the report's `at` until it ends by itself */
  remainingMs: required(int()),
})

export type OverrideKind = Infer<typeof OVERRIDE_KIND>
export type OverrideReport = Infer<typeof OVERRIDE_REPORT>
