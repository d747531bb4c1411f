/** What Kubernetes fills into probes and hooks that leave it out. Idempotent; a container without probes is not touched. */
import type { ContainerSpec } from '../../protocol/pod.ts'
import { probeSettings } from '../../protocol/probe.ts'
import type { HttpGet, LifecycleHandler, Probe } from '../../protocol/probe.ts'

export function defaultProbes(container: ContainerSpec): ContainerSpec {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  return {
    ...container,
    ...(livenessProbe === undefined ? {} : { livenessProbe: defaultProbe(livenessProbe) }),
    ...(readinessProbe === undefined ? {} : { readinessProbe: defaultProbe(readinessProbe) }),
    ...(startupProbe === undefined ? {} : { startupProbe: defaultProbe(startupProbe) }),
    ...(lifecycle === undefined
      ? {}
      : {
          lifecycle: {
            ...(lifecycle.postStart === undefined ? {} : { postStart: defaultHandler(lifecycle.postStart) }),
            ...(lifecycle.preStop === undefined ? {} : { preStop: defaultHandler(lifecycle.preStop) }),
          },
        }),
  }
}

function defaultProbe(probe: Probe): Probe {
  const { initialDelaySeconds: _, ...settings } = probeSettings(probe)
  return {
    ...defaultHandler(probe),
    ...settings,
    ...(probe.grpc === undefined ? {} : { grpc: { ...probe.grpc, service: probe.grpc.service ?? '' } }),
  }
}

function defaultHandler<H extends Pick<LifecycleHandler, 'httpGet'>>(handler: H): H {
  return handler.httpGet === undefined ? handler : { ...handler, httpGet: defaultHttp(handler.httpGet) }
}

function defaultHttp(http: HttpGet): HttpGet {
  return { ...http, path: http.path === undefined || http.path === '' ? '/' : http.path, scheme: http.scheme ?? 'HTTP' }
}
