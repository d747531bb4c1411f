/** A desired container and its pod -> everything the engine needs to make it, or why it cannot be made here. */
import type { LocalSettings, PodVolumes } from './pod-model.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import type { Placement } from '../../protocol/desired-state.ts'
import { NO_LOCAL_SETTINGS, policyDenies } from './device-policy.ts'
import { graceSecondsOf, pidsLimitOf } from './identity.ts'
import { releaseOf } from './image-use.ts'
import type { Match } from './match.ts'
import type { ContainerPlan, ContainerSpec, DesiredPod, DesiredState } from './model.ts'
import { environmentOf } from './pod-env.ts'
import { volumesOf } from './pod-files.ts'
import { namespaceNetwork } from './network-names.ts'
import { heldMounts, hostsMount, mountsOf } from './pod-mounts.ts'
import { configsOf } from './pod-values.ts'
import type { Resolved, Surroundings } from './pod-values.ts'
import type { Staged } from './pod-stage.ts'

const HOSTNAME_LENGTH_MAX = 63
/** a sandbox does nothing */
const SANDBOX_PIDS = 1

/** The device around the pods. */
export interface Place {
  readonly device: string
  readonly hostIp: string | null
  readonly inventory: Inventory | null
  readonly local: LocalSettings
}

export function placeOf(input: {
  readonly device: string
  readonly hostIp?: string | null
  readonly inventory: Inventory | null
  readonly local?: LocalSettings
}): Place {
  return { device: input.device, hostIp: input.hostIp ?? null, inventory: input.inventory, local: input.local ?? NO_LOCAL_SETTINGS }
}

export function planContainer({ match, sandbox }: Staged, desired: DesiredState, place: Place): Resolved<ContainerPlan> {
  const { pod, container, role } = match
  if (role === 'sandbox') return { ok: true, value: { ...basePlan(match, place), network: 'holder', mounts: heldMounts(pod) } }
  const denied = policyDenies(pod, container, place.local)
  if (denied !== null) return { ok: false, cause: denied }
  const around = surroundingsOf(pod, place, sandbox?.ip ?? null)
  const env = environmentOf(pod, container, configsOf(desired), around)
  if (!env.ok) return env
  const mounts = mountsOf(pod, container, place.local)
  if (!mounts.ok) return mounts
  const mounted = [...mounts.value, ...hostsMount(pod, container, place.local)]
  const files = volumesOf(desired, pod, around)
  if (files !== null && !files.ok) return files
  const optional = {
    ...(env.value.length === 0 ? {} : { env: env.value }),
    ...(mounted.length === 0 ? {} : { mounts: mounted }),
    ...(sandbox === null ? {} : { network: { join: sandbox.id } }),
  }
  return { ok: true, value: { ...basePlan(match, place), ...optional } }
}

/** What is to lie ready before it starts; null = nothing, also when what it needs was taken away meanwhile: it keeps what it has. */
export function preparedVolumes(pod: DesiredPod, desired: DesiredState, place: Place): PodVolumes | null {
  const volumes = place.local.roots === null ? null : volumesOf(desired, pod, surroundingsOf(pod, place, null))
  return volumes?.ok === true ? volumes.value : null
}

function basePlan({ pod, container, identity, role }: Match, { device, local }: Place): ContainerPlan {
  const hostNetwork = pod.spec.hostNetwork ?? false
  const { securityContext: security, hostAliases, dnsConfig, dnsPolicy } = pod.spec
  const holder = role === 'sandbox'
  return {
    identity,
    device,
    container,
    pod: {
      hostNetwork,
      ...(hostNetwork || local.networks === undefined ? {} : { bridge: { name: namespaceNetwork(device, pod.namespace), of: pod.namespace } }),
      hostname: hostNetwork ? null : (pod.spec.hostname ?? pod.name.slice(0, HOSTNAME_LENGTH_MAX)),
      pidsLimit: holder ? SANDBOX_PIDS : pidsLimitOf(pod),
      // nothing in it has anything to finish
      graceSeconds: holder ? 0 : graceSecondsOf(pod),
      labels: pod.labels ?? {},
      ...(security === undefined ? {} : { security }),
      ...(hostAliases === undefined ? {} : { hostAliases }),
      ...(dnsConfig === undefined ? {} : { dns: { ...dnsConfig, only: dnsPolicy === 'None' } }),
    },
    placement: holder ? null : placementOf(pod, container),
    release: releaseOf(pod),
  }
}

/** Devices go to the containers that ask for them; a pod of one container needs not say. */
function placementOf(pod: DesiredPod, container: ContainerSpec): Placement | null {
  if (pod.placement?.gpus === undefined || pod.spec.containers.length === 1) return pod.placement ?? null
  const asks = Object.keys({ ...container.resources?.limits, ...container.resources?.requests }).some((name) => /gpu|mig-/.test(name))
  return asks ? pod.placement : { ...pod.placement, gpus: [] }
}

function surroundingsOf(pod: DesiredPod, { device, hostIp, inventory }: Place, sandboxIp: string | null): Surroundings {
  const { cpu, memory } = inventory?.allocatable ?? {}
  return {
    device,
    hostIp,
    podIp: pod.spec.hostNetwork === true ? hostIp : sandboxIp,
    cpuMilli: cpu ?? (inventory?.topology.threads ?? 1) * MILLI,
    memoryBytes: memory ?? 0,
  }
}

const MILLI = 1_000
