/** What a container gets from its pod: network, mounts, security. Pure, as to-docker. */
import type { PlannedMount } from '../core/pod-model.ts'
import type { ContainerPlan } from '../core/model.ts'

/** Labels of volumes made by the engine; claims have no pod, so that they are never removed with one. */
export interface MountOptions {
  Type: 'bind' | 'volume'
  Source: string
  Target: string
  ReadOnly: boolean
  VolumeOptions?: { NoCopy: boolean; Labels: Record<string, string>; DriverConfig: { Name: string; Options: Record<string, string> } }
}

export interface PodHostOptions {
  NetworkMode: string
  IpcMode?: string
  SecurityOpt: string[]
  Privileged?: boolean
  ReadonlyRootfs?: boolean
  CapAdd?: string[]
  CapDrop?: string[]
  GroupAdd?: string[]
  Mounts?: MountOptions[]
  Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[]
  ExtraHosts?: string[]
  Dns?: string[]
  DnsSearch?: string[]
  DnsOptions?: string[]
}

export function podHostOptions(plan: ContainerPlan, labels: { readonly device: string; readonly podUid: string }): PodHostOptions {
  return { ...network(plan), ...security(plan), ...mounts(plan, labels) }
}

/** `user:group`, or nothing: the image's own user. */
export function userOf({ container, pod }: ContainerPlan): { readonly User?: string } {
  const user = container.securityContext?.runAsUser ?? pod.security?.runAsUser
  const group = container.securityContext?.runAsGroup ?? pod.security?.runAsGroup
  if (user === undefined) return {}
  return { User: group === undefined ? String(user) : `${user}:${group}` }
}

/** True when the container must not run as root and nothing written says as whom: the image has to. */
export function needsImageUser({ container, pod }: ContainerPlan): boolean {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.security?.runAsNonRoot ?? false
  return nonRoot && (container.securityContext?.runAsUser ?? pod.security?.runAsUser) === undefined
}

/** True when another container holds the network, and with it the host name, the ports and the name servers. */
export function joinsNetwork({ network: kind }: ContainerPlan): boolean {
  return typeof kind === 'object'
}

function network({
  network: kind,
  pod,
}: ContainerPlan): Pick<PodHostOptions, 'NetworkMode' | 'IpcMode' | 'ExtraHosts' | 'Dns' | 'DnsSearch' | 'DnsOptions'> {
  if (typeof kind === 'object') return { NetworkMode: `container:${kind.join}`, IpcMode: `container:${kind.join}` }
  const { hostAliases = [], dns } = pod
  return {
    NetworkMode: pod.hostNetwork ? 'host' : (pod.bridge?.name ?? 'default'),
    ...(kind === 'holder' ? { IpcMode: 'shareable' } : {}),
    ...(hostAliases.length === 0 ? {} : { ExtraHosts: hostAliases.flatMap(({ ip, hostnames = [] }) => hostnames.map((name) => `${name}:${ip}`)) }),
    ...(dns?.nameservers === undefined ? {} : { Dns: [...dns.nameservers] }),
    // a single dot is the engine's word for: no search list at all
    ...(dns?.searches !== undefined ? { DnsSearch: [...dns.searches] } : dns?.only === true ? { DnsSearch: ['.'] } : {}),
    ...(dns?.options === undefined
      ? {}
      : { DnsOptions: dns.options.map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`)) }),
  }
}

function security({ container, pod }: ContainerPlan): Omit<PodHostOptions, 'NetworkMode' | 'Mounts' | 'Devices'> {
  const context = container.securityContext ?? {}
  const { supplementalGroups = [], fsGroup } = pod.security ?? {}
  const groups = [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])].map(String)
  const privileged = context.privileged === true
  const seccomp = context.seccompProfile?.type ?? pod.security?.seccompProfile?.type
  const appArmor = context.appArmorProfile?.type ?? pod.security?.appArmorProfile?.type
  return {
    SecurityOpt: [
      // stricter than Kubernetes, where a field that is not written allows it
      ...(privileged || context.allowPrivilegeEscalation === true ? [] : ['no-new-privileges']),
      ...(seccomp === 'Unconfined' ? ['seccomp=unconfined'] : []),
      ...(appArmor === 'Unconfined' ? ['apparmor=unconfined'] : []),
    ],
    ...(privileged ? { Privileged: true } : {}),
    ...(context.readOnlyRootFilesystem === true ? { ReadonlyRootfs: true } : {}),
    ...(context.capabilities?.add === undefined ? {} : { CapAdd: [...context.capabilities.add] }),
    ...(context.capabilities?.drop === undefined ? {} : { CapDrop: [...context.capabilities.drop] }),
    ...(groups.length === 0 ? {} : { GroupAdd: groups }),
  }
}

function mounts(
  { mounts: planned = [] }: ContainerPlan,
  labels: { readonly device: string; readonly podUid: string },
): Pick<PodHostOptions, 'Mounts' | 'Devices'> {
  const devices = planned.filter(({ kind }) => kind === 'device')
  const others = planned.flatMap((mount) => (mount.kind === 'device' ? [] : [mountOptions(mount, labels)]))
  return {
    ...(others.length === 0 ? {} : { Mounts: others }),
    ...(devices.length === 0
      ? {}
      : {
          Devices: devices.flatMap((mount) =>
            mount.kind === 'device'
              ? [{ PathOnHost: mount.source, PathInContainer: mount.target, CgroupPermissions: mount.readOnly ? 'r' : 'rwm' }]
              : [],
          ),
        }),
  }
}

function mountOptions(
  mount: Exclude<PlannedMount, { kind: 'device' }>,
  { device, podUid }: { readonly device: string; readonly podUid: string },
): MountOptions {
  const { target: Target, readOnly: ReadOnly } = mount
  if (mount.kind === 'bind') return { Type: 'bind', Source: mount.source, Target, ReadOnly }
  const { tmpfsBytes } = mount
  if (tmpfsBytes === undefined)
    return {
      Type: 'volume',
      Source: mount.name,
      Target,
      ReadOnly,
      VolumeOptions: { NoCopy: false, Labels: { [VOLUME_LABELS.device]: device }, DriverConfig: { Name: 'local', Options: {} } },
    }
  const o = tmpfsBytes === null ? 'mode=1777' : `mode=1777,size=${tmpfsBytes}`
  const DriverConfig = { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o } }
  return {
    Type: 'volume',
    Source: mount.name,
    Target,
    ReadOnly,
    VolumeOptions: { NoCopy: true, Labels: { [VOLUME_LABELS.device]: device, [VOLUME_LABELS.podUid]: podUid }, DriverConfig },
  }
}

export const VOLUME_LABELS = { device: 'dev.skerry.device', podUid: 'dev.skerry.pod-uid' } as const
