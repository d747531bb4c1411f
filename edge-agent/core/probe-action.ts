/** A probe or hook as written -> what to do, with address and port number; or why it cannot be done. */
import type { ContainerPort } from '../../protocol/pod.ts'
import type { HttpGet, LifecycleHandler, Probe } from '../../protocol/probe.ts'
import type { ProbeAction } from './probe-model.ts'

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>

/** @param host address of the pod; null = none yet. A text is the reason why it cannot be asked. */
export function actionOf(handler: Handler, ports: readonly ContainerPort[], target: string, host: string | null): ProbeAction | string {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  if (exec !== undefined) return { kind: 'exec', target, argv: exec.command ?? [] }
  if (sleep !== undefined) return { kind: 'sleep', ms: sleep.seconds * 1000 }
  const at = httpGet?.host ?? tcpSocket?.host ?? host
  if (at === null) return 'the container has no address'
  if (grpc !== undefined) return { kind: 'grpc', host: at, port: grpc.port, service: grpc.service ?? '' }
  const named = httpGet?.port ?? tcpSocket?.port
  if (named === undefined) return 'no handler is given'
  const port = portNumber(named, ports)
  if (port === null) return `the container has no port named ${JSON.stringify(named)}`
  return httpGet === undefined ? { kind: 'tcp', host: at, port } : httpAction(httpGet, at, port)
}

function httpAction(http: HttpGet, host: string, port: number): ProbeAction {
  const headers = (http.httpHeaders ?? []).map(({ name, value }) => ({ name, value: value ?? '' }))
  const path = http.path ?? '/'
  return { kind: 'http', host, port, path: path.startsWith('/') ? path : `/${path}`, https: http.scheme === 'HTTPS', headers }
}

/** null when no port has that name. */
export function portNumber(port: number | string, ports: readonly ContainerPort[]): number | null {
  if (typeof port === 'number') return port
  return ports.find(({ name }) => name === port)?.containerPort ?? null
}
