/** How fast images may come, by what the link of a device costs. A limit of downloads only: nothing else is slowed. */
import { LIMITS } from './limits.ts'
import type { LinkClass } from './link.ts'
import { int, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const BYTES_PER_SECOND = int(LIMITS.pullRateMin.value, LIMITS.pullRateMax.value)

/** Bytes a second; a class that is not named is not limited. */
export const PULL_RATE = obj({ metered: BYTES_PER_SECOND, unmetered: BYTES_PER_SECOND })
export type PullRate = Infer<typeof PULL_RATE>

/** Of one image, as a document carries it. */
export const IMAGE_RATE = obj({ image: required(str({ min: 1, max: 512 })), metered: BYTES_PER_SECOND, unmetered: BYTES_PER_SECOND })
export type ImageRate = Infer<typeof IMAGE_RATE>

/** Both ask for the same image: the slower one holds. */
export function slower(a: PullRate, b: PullRate): PullRate {
  return { ...least('metered', a, b), ...least('unmetered', a, b) }
}

function least(of: LinkClass, a: PullRate, b: PullRate): PullRate {
  const rate = Math.min(a[of] ?? Infinity, b[of] ?? Infinity)
  return rate === Infinity ? {} : { [of]: rate }
}
