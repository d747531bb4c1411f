/** What the link of a device may cost, as an operator or the owner of the device says it. */
import { LIMITS } from './limits.ts'
import { int, obj, oneOf } from './shape.ts'
import type { Infer } from './shape.ts'

export const LINK_WISH = obj({
  /** unmetered: quick to notice; metered: says little */
  class: oneOf('unmetered', 'metered'),
  /** what the broker is told, and the longest quiet time between two pings; absent = that of the class */
  keepaliveSeconds: int(LIMITS.mqttKeepaliveMinS.value, LIMITS.mqttKeepaliveMaxS.value),
})
export type LinkWish = Infer<typeof LINK_WISH>
export type LinkClass = NonNullable<LinkWish['class']>
