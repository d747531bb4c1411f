/** Rules for probes and lifecycle hooks beyond their shape: one handler each, real ports, what Kubernetes forbids by kind. */
import type { ContainerSpec, PodSpec } from '../../protocol/pod.ts'
import type { LifecycleHandler, Probe } from '../../protocol/probe.ts'
import type { Issue } from '../../protocol/shape.ts'

/** Kubernetes' default of terminationGracePeriodSeconds. */
const GRACE_SECONDS_DEFAULT = 30

/** Issues of all probes and hooks of a pod; `path` is the spec's. */
export function podProbeIssues(spec: PodSpec, path: string): readonly Issue[] {
  const grace = spec.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT
  return [
    ...spec.containers.flatMap((container, index) => probeIssues(container, `${path}.containers[${index}]`, grace)),
    ...(spec.initContainers ?? []).flatMap((container, index) => {
      const at = `${path}.initContainers[${index}]`
      return container.restartPolicy === 'Always' ? probeIssues(container, at, grace) : initIssues(container, at)
    }),
  ]
}

/** An init container ends before anybody could ask it. */
function initIssues(container: ContainerSpec, path: string): readonly Issue[] {
  return (['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const).flatMap((field): readonly Issue[] =>
    container[field] === undefined
      ? []
      : [
          {
            path: `${path}.${field}`,
            kind: 'forbidden',
            message: 'may not be set for an init container; only one with restartPolicy "Always" has it',
          },
        ],
  )
}

function probeIssues(container: ContainerSpec, path: string, graceSeconds: number): readonly Issue[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  const hook = (handler: LifecycleHandler | undefined, at: string): readonly Issue[] =>
    handler === undefined ? [] : hookIssues(handler, `${path}.lifecycle.${at}`, container, graceSeconds)
  return [
    ...(livenessProbe === undefined ? [] : oneProbe(livenessProbe, `${path}.livenessProbe`, container, 'liveness')),
    ...(readinessProbe === undefined ? [] : oneProbe(readinessProbe, `${path}.readinessProbe`, container, 'readiness')),
    ...(startupProbe === undefined ? [] : oneProbe(startupProbe, `${path}.startupProbe`, container, 'startup')),
    ...hook(lifecycle?.postStart, 'postStart'),
    ...hook(lifecycle?.preStop, 'preStop'),
  ]
}

function oneProbe(probe: Probe, path: string, container: ContainerSpec, kind: 'liveness' | 'readiness' | 'startup'): readonly Issue[] {
  const issues = [...handlerIssues(probe, ['exec', 'httpGet', 'tcpSocket', 'grpc'], path), ...portIssues(probe, path, container)]
  // 0 stands for the default, which is 1
  if (kind !== 'readiness' && (probe.successThreshold ?? 0) > 1)
    issues.push({ path: `${path}.successThreshold`, kind: 'invalid', message: `must be 1 for a ${kind} probe, is ${probe.successThreshold ?? 0}` })
  if (kind === 'readiness' && probe.terminationGracePeriodSeconds !== undefined)
    issues.push({
      path: `${path}.terminationGracePeriodSeconds`,
      kind: 'invalid',
      message: 'must not be set for a readiness probe: it stops nothing',
    })
  return issues
}

function hookIssues(handler: LifecycleHandler, path: string, container: ContainerSpec, graceSeconds: number): readonly Issue[] {
  const issues = [...handlerIssues(handler, ['exec', 'httpGet', 'sleep'], path), ...portIssues(handler, path, container)]
  const seconds = handler.sleep?.seconds
  if (seconds !== undefined && seconds > graceSeconds)
    issues.push({
      path: `${path}.sleep.seconds`,
      kind: 'invalid',
      message: `must not be more than terminationGracePeriodSeconds (${graceSeconds}), is ${seconds}`,
    })
  return issues
}

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>

function handlerIssues(handler: Handler, kinds: readonly (keyof Handler)[], path: string): readonly Issue[] {
  const given = kinds.filter((kind) => handler[kind] !== undefined)
  const issues: Issue[] = []
  if (given.length === 0) issues.push({ path, kind: 'required', message: `must specify a handler: one of ${kinds.join(', ')}` })
  if (given.length > 1) issues.push({ path, kind: 'forbidden', message: `may not specify more than one handler, has ${given.join(' and ')}` })
  if (handler.exec !== undefined && (handler.exec.command ?? []).length === 0)
    issues.push({ path: `${path}.exec.command`, kind: 'required', message: 'is required' })
  return issues
}

function portIssues(handler: Handler, path: string, container: ContainerSpec): readonly Issue[] {
  return [
    ...(handler.httpGet === undefined ? [] : onePort(handler.httpGet.port, `${path}.httpGet.port`, container)),
    ...(handler.tcpSocket === undefined ? [] : onePort(handler.tcpSocket.port, `${path}.tcpSocket.port`, container)),
  ]
}

function onePort(port: number | string, path: string, { ports }: ContainerSpec): readonly Issue[] {
  if (typeof port === 'number')
    return port >= 1 && port <= 65_535 ? [] : [{ path, kind: 'invalid', message: `must be between 1 and 65535, is ${port}` }]
  // Kubernetes takes a name that no port has and fails each probe; said here, it is found before it restarts anything
  if ((ports ?? []).some(({ name }) => name === port)) return []
  return [
    { path, kind: 'invalid', message: `${JSON.stringify(port)} is not the name of a port of this container; add it to ports, or write a number` },
  ]
}
