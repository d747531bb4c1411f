/** How a device updates and fences one pod: what annotations of the pod say, as its document carries it. All fields are optional. */
import { LIMITS } from './limits.ts'
import { bool, int, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

/** A lease on the update of a pod: nobody forgets one for ever. */
export const UPDATE_LOCK = obj({
  owner: required(str({ min: 1, max: LIMITS.overrideTextLength.value })),
  reason: required(str({ min: 1, max: LIMITS.overrideTextLength.value })),
  /** RFC 3339 by the cloud's clock. The device counts what is left of it on monotonic time, from the document's `issuedAt` on */
  expires: required(str({ min: 1, max: 40 })),
})

export const POD_POLICY = obj({
  /** see update-window; outside it images are fetched, and nothing is switched */
  window: str({ min: 1, max: LIMITS.updateWindowLength.value }),
  /** IANA name; absent = the device's own */
  timeZone: str({ min: 1, max: 64 }),
  /** what a new revision has to become ready on the device */
  readySeconds: int(1, LIMITS.readyDeadlineMaxMs.value / 1000),
  /** false = a revision that does not become ready stays; absent = true */
  rollback: bool(),
  lock: UPDATE_LOCK,
  /** stop this long after the last contact with the cloud; absent = keep */
  stopAfterSeconds: int(1, LIMITS.disconnectStopMaxMs.value / 1000),
  /** another one may run in its place: it is not started before the cloud says so */
  standby: bool(),
})

export type UpdateLock = Infer<typeof UPDATE_LOCK>
export type PodPolicy = Infer<typeof POD_POLICY>
