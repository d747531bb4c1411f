/**
 * Things that happened on a device, kept there until the cloud has them. Delivered at least once and in order; `seq` within a
 * `stream` never repeats, so duplicates are dropped and gaps are seen.
 */
import { LIMITS } from './limits.ts'
import { int, list, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

export const HAPPENING = obj({
  type: required(oneOf('Normal', 'Warning')),
  /** one word, as in Kubernetes: Restarted, OverrideBegan, LinkUp, … */
  reason: required(str({ pattern: /^[A-Z][A-Za-z]{0,63}$/, says: 'a word in CamelCase' })),
  message: required(str({ max: LIMITS.messageText.value })),
  /** RFC 3339 by the device's clock */
  at: required(str({ max: 40 })),
  /** absent = the device itself */
  pod: obj({ uid: required(str({ max: 64 })), namespace: required(str({ max: 63 })), name: required(str({ max: 253 })) }),
})

export const EVENTS = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  /** identity of the queue; a new one begins at 1 */
  stream: required(str({ min: 1, max: 64 })),
  /** records that the device gave up for space since its agent started */
  dropped: required(int()),
  events: required(list(obj({ seq: required(int(1)), event: required(HAPPENING) }), { max: LIMITS.eventBatch.value })),
})

export type DeviceHappening = Infer<typeof HAPPENING>
export type DeviceEvents = Infer<typeof EVENTS>
