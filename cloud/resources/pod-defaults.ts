/** What Kubernetes fills into a pod that leaves it out. All functions are idempotent. */
import type { ContainerSpec, PodSpec } from '../../protocol/pod.ts'
import { defaultProbes } from './probe-defaults.ts'

/** Defaults of a pod spec wherever it stands: in a pod or in a template. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName ?? spec.serviceAccount
  return {
    ...spec,
    containers: spec.containers.map(defaultContainer),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(defaultContainer) }),
    restartPolicy: spec.restartPolicy ?? 'Always',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    schedulerName: spec.schedulerName ?? 'default-scheduler',
    securityContext: spec.securityContext ?? {},
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: spec.serviceAccount ?? account }),
    ...(spec.resources === undefined ? {} : { resources: textQuantities(spec.resources) }),
  }
}

/** Further defaults that Kubernetes gives to pods only, never to templates. */
export function defaultPodOnly(spec: PodSpec): PodSpec {
  const containers = spec.containers.map((container) => {
    const ports = container.ports
    const hostPorts =
      spec.hostNetwork === true && ports !== undefined
        ? { ports: ports.map((port) => ({ ...port, hostPort: port.hostPort ?? port.containerPort })) }
        : {}
    return { ...container, ...hostPorts, resources: requestsFromLimits(container.resources ?? {}) }
  })
  return { ...spec, containers, enableServiceLinks: spec.enableServiceLinks ?? true }
}

/** Always for `:latest` or no tag, else IfNotPresent; an image named by digest alone does not change. */
export function pullPolicyFor(image: string): 'Always' | 'IfNotPresent' {
  const [name = '', digest] = image.split('@', 2)
  const colon = name.lastIndexOf(':')
  const tag = colon > name.lastIndexOf('/') ? name.slice(colon + 1) : undefined
  if (tag === undefined) return digest === undefined ? 'Always' : 'IfNotPresent'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

type Resources = NonNullable<PodSpec['resources']>

function defaultContainer(container: ContainerSpec): ContainerSpec {
  return {
    ...defaultProbes(container),
    ...(container.ports === undefined ? {} : { ports: container.ports.map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' })) }),
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyFor(container.image),
    resources: textQuantities(container.resources ?? {}),
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
  }
}

function requestsFromLimits(resources: Resources): Resources {
  return resources.limits === undefined ? resources : { ...resources, requests: { ...resources.limits, ...resources.requests } }
}

/** YAML writers leave quotes off (`cpu: 2`); readers always get text, as from Kubernetes. */
function textQuantities(resources: Resources): Resources {
  const { requests, limits } = resources
  return {
    ...resources,
    ...(requests === undefined ? {} : { requests: asText(requests) }),
    ...(limits === undefined ? {} : { limits: asText(limits) }),
  }
}

function asText(quantities: Readonly<Record<string, string | number>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, String(value)]))
}
