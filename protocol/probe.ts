/**
 * Probes and lifecycle hooks: Kubernetes' shapes. Counts of 0 mean "not set", as there; `probeSettings` fills them in.
 */
import { int, intOrString, list, obj, oneOf, refused, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const SECONDS_MAX = 2_147_483_647

const EXEC = obj({ command: list(str({ max: 32_768 }), { max: 256 }) })
const HTTP_GET = obj({
  path: str({ max: 8192 }),
  /** a number, or the name of a port of the container */
  port: required(intOrString()),
  host: str({ max: 253 }),
  scheme: oneOf('HTTP', 'HTTPS'),
  httpHeaders: list(
    obj({
      name: required(str({ pattern: /^[-A-Za-z0-9!#$%&'*+.^_`|~]+$/, says: 'an HTTP header name', max: 256 })),
      value: str({ pattern: /^[^\r\n\0]*$/, says: 'text without line breaks', max: 8192 }),
    }),
    { max: 32 },
  ),
})
const TCP_SOCKET = obj({ port: required(intOrString()), host: str({ max: 253 }) })
const GRPC = obj({ port: required(int(1, 65_535)), service: str({ max: 1024 }) })

export const PROBE = obj({
  exec: EXEC,
  httpGet: HTTP_GET,
  tcpSocket: TCP_SOCKET,
  grpc: GRPC,
  initialDelaySeconds: int(0, SECONDS_MAX),
  timeoutSeconds: int(0, SECONDS_MAX),
  periodSeconds: int(0, SECONDS_MAX),
  successThreshold: int(0, SECONDS_MAX),
  failureThreshold: int(0, SECONDS_MAX),
  terminationGracePeriodSeconds: int(1, 86_400),
})

export const LIFECYCLE_HANDLER = obj({
  exec: EXEC,
  httpGet: HTTP_GET,
  sleep: obj({ seconds: required(int(0, 86_400)) }),
  tcpSocket: refused('is a hook that Kubernetes accepts and never runs; use exec, httpGet or sleep'),
})

export const LIFECYCLE = obj({
  postStart: LIFECYCLE_HANDLER,
  preStop: LIFECYCLE_HANDLER,
  stopSignal: refused('is not supported by this version of Skerry; set the stop signal in the image'),
})

export type Probe = Infer<typeof PROBE>
export type HttpGet = Infer<typeof HTTP_GET>
export type LifecycleHandler = Infer<typeof LIFECYCLE_HANDLER>
export type Lifecycle = Infer<typeof LIFECYCLE>

export interface ProbeSettings {
  readonly initialDelaySeconds: number
  readonly timeoutSeconds: number
  readonly periodSeconds: number
  readonly successThreshold: number
  readonly failureThreshold: number
}

/** Kubernetes' defaults for what is left out or 0. */
export function probeSettings(probe: Probe): ProbeSettings {
  return {
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    timeoutSeconds: orDefault(probe.timeoutSeconds, 1),
    periodSeconds: orDefault(probe.periodSeconds, 10),
    successThreshold: orDefault(probe.successThreshold, 1),
    failureThreshold: orDefault(probe.failureThreshold, 3),
  }
}

function orDefault(value: number | undefined, fallback: number): number {
  return value === undefined || value === 0 ? fallback : value
}
