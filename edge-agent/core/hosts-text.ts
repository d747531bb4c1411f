/**
 * The /etc/hosts of a pod, with the names of Services: programs look there before they ask anybody, so that names are
 * found also while the agent is away. Names of pods of headless Services stand there, too.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { DesiredService } from '../../protocol/services.ts'
import type { DesiredPod } from './model.ts'

export interface NamedPod {
  readonly pod: DesiredPod
  readonly ip: string | null
  readonly host: string | null
  readonly ready: boolean
}

const HEAD = `# Kept by the agent of this device: changes are lost. hostAliases of the pod adds names.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
`

/** @param ip of the pod, null before it has one */
export function hostsText(pod: DesiredPod, ip: string | null, services: readonly DesiredService[], pods: readonly NamedPod[]): string {
  const lines: string[] = []
  if (ip !== null) lines.push(`${ip}\t${pod.spec.hostname ?? pod.name}`)
  for (const { ip: alias, hostnames = [] } of pod.spec.hostAliases ?? []) if (hostnames.length > 0) lines.push(`${alias}\t${hostnames.join(' ')}`)
  for (const service of services) {
    const near = service.namespace === pod.namespace
    if (service.address !== undefined) lines.push(`${service.address}\t${namesOf(service.name, service.namespace, near)}`)
    else lines.push(...headlessLines(service, near, pods))
  }
  return `${HEAD}${lines.join('\n')}${lines.length === 0 ? '' : '\n'}`
}

function headlessLines(service: DesiredService, near: boolean, pods: readonly NamedPod[]): readonly string[] {
  const { name, namespace, selector = {} } = service
  const behind = pods.filter(({ pod: { namespace: of, labels = {} }, host, ready }) => {
    const selected = Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
    return of === namespace && host !== null && (ready || service.notReady === true) && selected
  })
  const own = behind.slice(0, LIMITS.headlessNames.value).map(({ pod, ip, host }) => {
    const each = namesOf(`${pod.spec.hostname ?? pod.name}.${name}`, namespace, near)
    return `${ip ?? host ?? ''}\t${namesOf(name, namespace, near)} ${each}`
  })
  const outside = (service.outside ?? []).map(({ address }) => `${address}\t${namesOf(name, namespace, near)}`)
  return [...(Object.keys(selector).length === 0 ? [] : own), ...outside]
}

/** The four names of Kubernetes; the short one only within the namespace. */
function namesOf(name: string, namespace: string, near: boolean): string {
  const long = [`${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
  return (near ? [name, ...long] : long).join(' ')
}
