/**
 * The containers of a pod in the order in which they begin, each with its part. A pod of exactly one container has no
 * sandbox: that container owns its network, and nothing else needs it. Every other pod has one, a container that does
 * nothing and holds the network, so that any of the others may end and come back. A sandbox is never started twice: a new
 * run would be another network, so that a new one is made and the others are made again beside it, as the kubelet does.
 */
import { SANDBOX } from '../../protocol/desired-state.ts'
import type { ContainerSpec, DesiredPod } from './model.ts'

/** The image is made by the engine adapter itself; no registry has it. */
export const SANDBOX_IMAGE = 'skerry/pause:1'

export type Role = 'sandbox' | 'init' | 'sidecar' | 'main'

export interface Unit {
  readonly role: Role
  readonly container: ContainerSpec
  readonly hash: string
}

export function unitsOf(pod: DesiredPod): readonly Unit[] {
  const unit = (role: Role, container: ContainerSpec): Unit => ({ role, container, hash: pod.hashes?.[container.name] ?? pod.specHash })
  return [
    ...(needsSandbox(pod) ? [unit('sandbox', sandboxSpec(pod))] : []),
    ...(pod.spec.initContainers ?? []).map((container) => unit(container.restartPolicy === 'Always' ? 'sidecar' : 'init', container)),
    ...pod.spec.containers.map((container) => unit('main', container)),
  ]
}

/** Also for what only a pod can hold while its container restarts: files in memory, and an address known before the start. */
export function needsSandbox({ spec }: DesiredPod): boolean {
  const all = [...(spec.initContainers ?? []), ...spec.containers]
  if (all.length > 1 || (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.medium === 'Memory')) return true
  return all.some(({ env = [] }) => env.some(({ valueFrom }) => valueFrom?.fieldRef?.fieldPath.startsWith('status.podIP') === true))
}

function sandboxSpec({ spec }: DesiredPod): ContainerSpec {
  const ports = [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => container.ports ?? [])
  return { name: SANDBOX, image: SANDBOX_IMAGE, imagePullPolicy: 'Never', command: ['/pause'], ...(ports.length === 0 ? {} : { ports }) }
}

/** True when an exit of this container is followed by a restart. */
export function restartsAfterExit(pod: DesiredPod, exitCode: number | null, role: Role = 'main'): boolean {
  const policy = pod.spec.restartPolicy ?? 'Always'
  if (role === 'sandbox' || role === 'sidecar') return true
  if (role === 'init') return exitCode !== 0 && policy !== 'Never'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}
