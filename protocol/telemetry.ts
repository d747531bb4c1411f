/**
 * Readings: what pods and the device use. Sampled only while somebody wants them, kept on the device while there is no link,
 * thinned out before any is lost. A reading is never state: losing one costs a point of a curve.
 */
import { LIMITS } from './limits.ts'
import { int, list, map, obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

/** How often readings are wanted. */
const EVERY_SECONDS = int(10, 3600)

/** In the desired state: from now on, also offline. Absent = nothing is sampled unless somebody looks. */
export const TELEMETRY_WISH = obj({ everySeconds: required(EVERY_SECONDS) })

/** In a command: for a while, because somebody looks. The span runs on the device's monotonic clock from arrival. */
export const TELEMETRY_LOOK = obj({ everySeconds: required(EVERY_SECONDS), forSeconds: required(int(1, 3600)) })

/** Of one pod, all its containers together; what could not be read is absent. */
export const POD_READING = obj({
  /** thousandths of a CPU, mean over the sample's span */
  cpuMilli: int(),
  /** working set, in bytes */
  memory: int(),
  pids: int(),
})

/** Of the whole device; what could not be read is absent. */
export const DEVICE_READING = obj({
  cpuMilli: int(),
  /** bytes in use */
  memory: int(),
  memoryTotal: int(),
  /** bytes in use of the file system that holds images and containers */
  disk: int(),
  diskTotal: int(),
  pids: int(),
  /** the hottest zone */
  temperatureC: int(-273, 1000),
})

/** One moment. The pods of a large device come in several samples of the same moment. */
export const TELEMETRY_SAMPLE = obj({
  /** RFC 3339 by the device's clock: the end of the span */
  at: required(str({ min: 20, max: 40 })),
  /** what the means are over */
  spanSeconds: required(int(1)),
  device: DEVICE_READING,
  /** by pod uid */
  pods: map(POD_READING, { max: LIMITS.telemetryPodsPerSample.value }),
})

export const TELEMETRY = obj({
  device: required(str({ min: 1, max: LIMITS.deviceIdLength.value })),
  /** samples given up for space since the agent started */
  dropped: required(int()),
  /** oldest first; some may come twice */
  samples: required(list(TELEMETRY_SAMPLE, { max: LIMITS.telemetryBatch.value })),
})

export type PodReading = Infer<typeof POD_READING>
export type DeviceReading = Infer<typeof DEVICE_READING>
export type TelemetrySample = Infer<typeof TELEMETRY_SAMPLE>
export type Telemetry = Infer<typeof TELEMETRY>
export type TelemetryLook = Infer<typeof TELEMETRY_LOOK>
