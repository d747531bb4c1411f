/** ContainerPlan -> the body of `POST /containers/create`. Pure: the same plan gives the same options, byte for byte. */
import { parseMilli, parseUnits } from '../../protocol/units.ts'
import type { ContainerPlan } from '../core/model.ts'
import { joinsNetwork, podHostOptions, userOf } from './pod-options.ts'
import type { PodHostOptions } from './pod-options.ts'
import { preStopLabel } from './pre-stop-label.ts'
import { expandEnvironment, expandVariables } from './expand-variables.ts'

/** Labels are the only link between a container and its pod: identity is found by them, never by memory. */
export const LABELS = {
  device: 'dev.skerry.device',
  podUid: 'dev.skerry.pod-uid',
  specHash: 'dev.skerry.spec-hash',
  namespace: 'dev.skerry.namespace',
  pod: 'dev.skerry.pod',
  container: 'dev.skerry.container',
  /** id of the container that holds the network it was made beside */
  sandbox: 'dev.skerry.sandbox',
  /** CPUs that are its pod's own: such a container is never moved to the shared ones */
  ownCpus: 'dev.skerry.own-cpus',
  /** the image as the pod names it, where the container is made from a pinned one */
  image: 'dev.skerry.image',
  /** `repository@digest` of the pinned image, or the engine's id of one that came from no registry */
  imageId: 'dev.skerry.image-id',
} as const

const CPU_PERIOD_US = 100_000
/** the kernel refuses a quota below 1 ms */
const CPU_QUOTA_MIN_US = 1_000
const CPU_SHARES_MIN = 2
const CPU_SHARES_MAX = 262_144
/** dockerd refuses smaller reservations */
const RESERVATION_MIN_BYTES = 6 * 1024 * 1024

export interface PortBinding {
  HostIp: string
  HostPort: string
}
export interface DeviceRequest {
  Driver: string
  DeviceIDs: string[]
  Capabilities: string[][]
}

export interface HostOptions extends PodHostOptions {
  RestartPolicy: { Name: string }
  LogConfig: { Type: string; Config: Record<string, string> }
  PidsLimit: number
  CpuShares: number
  CpuPeriod?: number
  CpuQuota?: number
  CpusetCpus?: string
  CpusetMems?: string
  Memory?: number
  MemorySwap?: number
  MemoryReservation?: number
  PortBindings?: Record<string, PortBinding[]>
  DeviceRequests?: DeviceRequest[]
}

export interface CreateOptions {
  name: string
  Image: string
  Hostname?: string
  User?: string
  Env: string[]
  Entrypoint?: string[]
  Cmd?: string[]
  WorkingDir?: string
  Tty: boolean
  OpenStdin: boolean
  Labels: Record<string, string>
  StopTimeout: number
  ExposedPorts?: Record<string, Record<string, never>>
  HostConfig: HostOptions
  NetworkingConfig?: { EndpointsConfig: Record<string, { Aliases: string[] }> }
}

/** Pod labels are left out on purpose: they may change without a new container, and labels of containers cannot. */
export function toDocker(plan: ContainerPlan): CreateOptions {
  const { container, identity } = plan
  const env = expandEnvironment(plan.env ?? container.env ?? [])
  const words = (list: readonly string[] | undefined): string[] => (list ?? []).map((word) => expandVariables(word, env))
  const command = words(container.command)
  const args = words(container.args)
  return {
    name: identity.name,
    Image: container.image,
    // on the host network the host's own name is right, beside a sandbox that one's
    ...userOf(plan),
    ...(plan.pod.hostNetwork || joinsNetwork(plan) ? {} : { Hostname: plan.pod.hostname ?? identity.podName.slice(0, 63) }),
    Env: [...env].map(([name, value]) => `${name}=${value}`),
    // command replaces the image's entrypoint and with it the image's arguments; args alone keep the entrypoint
    ...(command.length > 0 ? { Entrypoint: command, Cmd: args } : args.length > 0 ? { Cmd: args } : {}),
    ...(container.workingDir === undefined ? {} : { WorkingDir: container.workingDir }),
    Tty: container.tty ?? false,
    OpenStdin: container.stdin ?? false,
    Labels: labelsOf(plan),
    StopTimeout: plan.pod.graceSeconds,
    ...exposedPorts(plan),
    HostConfig: hostOptions(plan),
    ...networking(plan),
  }
}

/** Its own host name is found by the engine's name server, until the hosts file knows its address. */
function networking(plan: ContainerPlan): Pick<CreateOptions, 'NetworkingConfig'> {
  const { bridge, hostname } = plan.pod
  if (bridge === undefined || joinsNetwork(plan)) return {}
  return { NetworkingConfig: { EndpointsConfig: { [bridge.name]: { Aliases: hostname === null ? [] : [hostname] } } } }
}

function labelsOf(plan: ContainerPlan): Record<string, string> {
  const { device, identity } = plan
  return {
    ...preStopLabel(plan),
    [LABELS.device]: device,
    [LABELS.podUid]: identity.podUid,
    [LABELS.specHash]: identity.specHash,
    [LABELS.namespace]: identity.namespace,
    [LABELS.pod]: identity.podName,
    [LABELS.container]: identity.containerName,
    ...(typeof plan.network === 'object' ? { [LABELS.sandbox]: plan.network.join } : {}),
    ...(plan.placement?.cpus === undefined || plan.placement.cpus === '' ? {} : { [LABELS.ownCpus]: plan.placement.cpus }),
  }
}

/** Made from exactly the pinned image, wherever its tag points meanwhile. */
export function withPinned<T extends { readonly Image: string; readonly Labels: Readonly<Record<string, string>> }>(
  made: T,
  pinned: { readonly from: string; readonly name: string } | null,
  image: string,
): T {
  if (pinned === null) return made
  return { ...made, Image: pinned.from, Labels: { ...made.Labels, [LABELS.image]: image, [LABELS.imageId]: pinned.name } }
}

function hostOptions(plan: ContainerPlan): HostOptions {
  return {
    // the agent restarts containers: two restart policies would fight
    RestartPolicy: { Name: 'no' },
    ...podHostOptions(plan, { device: plan.device, podUid: plan.identity.podUid }),
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    PidsLimit: plan.pod.pidsLimit,
    ...cpuOptions(plan),
    ...memoryOptions(plan),
    ...portBindings(plan),
    ...deviceRequests(plan),
  }
}

/** As the kubelet does it: quota from the limit, shares from the request (the limit where no request is given). */
function cpuOptions(plan: ContainerPlan): Pick<HostOptions, 'CpuShares' | 'CpuPeriod' | 'CpuQuota' | 'CpusetCpus' | 'CpusetMems'> {
  const limit = milli(plan.container.resources?.limits?.['cpu'])
  const request = milli(plan.container.resources?.requests?.['cpu']) ?? limit ?? 0
  const cpus = plan.placement?.cpus
  const mems = plan.placement?.memoryNodes
  return {
    CpuShares: Math.min(CPU_SHARES_MAX, Math.max(CPU_SHARES_MIN, Math.floor((request * 1024) / 1000))),
    // a quota, not NanoCpus: dockerd refuses NanoCpus above the cpus of the host, Kubernetes does not
    ...(limit === null || limit === 0 ? {} : { CpuPeriod: CPU_PERIOD_US, CpuQuota: Math.max(CPU_QUOTA_MIN_US, (limit * CPU_PERIOD_US) / 1000) }),
    ...(cpus === undefined || cpus === '' ? {} : { CpusetCpus: cpus }),
    ...(mems === undefined || mems === '' ? {} : { CpusetMems: mems }),
  }
}

/** Swap equals memory: a container that may swap wears out the flash of the device. */
function memoryOptions(plan: ContainerPlan): Pick<HostOptions, 'Memory' | 'MemorySwap' | 'MemoryReservation'> {
  const limit = bytes(plan.container.resources?.limits?.['memory'])
  const request = bytes(plan.container.resources?.requests?.['memory'])
  const reservation = request !== null && request >= RESERVATION_MIN_BYTES && (limit === null || request <= limit)
  return {
    ...(limit === null || limit === 0 ? {} : { Memory: limit, MemorySwap: limit }),
    ...(reservation ? { MemoryReservation: request } : {}),
  }
}

function milli(quantity: string | number | undefined): number | null {
  return quantity === undefined ? null : parseMilli(quantity)
}

function bytes(quantity: string | number | undefined): number | null {
  return quantity === undefined ? null : parseUnits(quantity)
}

function publishedPorts(plan: ContainerPlan): readonly { readonly key: string; readonly binding: PortBinding }[] {
  if (plan.pod.hostNetwork || joinsNetwork(plan)) return []
  return (plan.container.ports ?? []).flatMap((port) =>
    port.hostPort === undefined
      ? []
      : [
          {
            key: `${port.containerPort}/${(port.protocol ?? 'TCP').toLowerCase()}`,
            binding: { HostIp: port.hostIP ?? '', HostPort: String(port.hostPort) },
          },
        ],
  )
}

function exposedPorts(plan: ContainerPlan): Pick<CreateOptions, 'ExposedPorts'> {
  const ports = publishedPorts(plan)
  return ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map(({ key }) => [key, {}])) }
}

function portBindings(plan: ContainerPlan): Pick<HostOptions, 'PortBindings'> {
  const bindings: Record<string, PortBinding[]> = {}
  for (const { key, binding } of publishedPorts(plan)) (bindings[key] ??= []).push(binding)
  return Object.keys(bindings).length === 0 ? {} : { PortBindings: bindings }
}

function deviceRequests(plan: ContainerPlan): Pick<HostOptions, 'DeviceRequests'> {
  const gpus = plan.placement?.gpus ?? []
  return gpus.length === 0 ? {} : { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: [...gpus], Capabilities: [['gpu']] }] }
}
