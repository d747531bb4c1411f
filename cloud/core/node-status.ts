/** A device as a Kubernetes Node: what it has, whether it is heard, and what is wrong with it. */
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { check } from '../../protocol/shape.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import { formatBytes, formatMilli, humanBytes } from '../../protocol/units.ts'
import type { Node } from '../resources/node.ts'
import { LABELS } from '../resources/object.ts'
import type { Condition } from '../resources/object.ts'
import type { DeviceNews } from './device-news.ts'
import { conditionOf, withCondition } from './meta.ts'
import { agentConditions } from './node-agent.ts'
import { overrideConditions } from './node-overrides.ts'
import { hardwareLabels, isHardwareLabel } from './node-labels.ts'
import { sharedGpuResources } from './scheduler/gpu-match.ts'
import { placeableTopology } from './placeable-topology.ts'
import { TOPOLOGY_ANNOTATION, topologyAnnotation } from './scheduler/numa/node-topology.ts'

/** A Node at first contact; status follows. */
export function newNode(device: string): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: device, labels: { 'kubernetes.io/hostname': device } }, spec: {} }
}

/** The Node with labels and status of the newest news. Labels that people set stay. */
export function nodeWithNews(node: Node, news: DeviceNews, nowIso: string): Node {
  const { inventory, report } = news
  const conditions = conditionsOf(node, news).reduce((list, condition) => withCondition(list, condition, nowIso), node.status?.conditions ?? [])
  return {
    ...node,
    metadata: { ...node.metadata, labels: { ...keptLabels(node, news), ...deviceLabels(news) }, ...topologyOf(node, inventory) },
    status: {
      ...node.status,
      ...(inventory === null
        ? {}
        : {
            capacity: quantities({ ...sharedGpuResources(inventory.topology), ...inventory.capacity }),
            allocatable: quantities({ ...sharedGpuResources(inventory.topology), ...inventory.allocatable }),
            nodeInfo: nodeInfo(inventory),
          }),
      addresses: addressesOf(news.device, inventory, report),
      conditions,
    },
  }
}

/** How its CPUs, memory and GPUs lie, for the scheduler. What people annotate stays. */
function topologyOf(node: Node, inventory: Inventory | null): Pick<Node['metadata'], 'annotations'> {
  if (inventory === null) return {}
  return { annotations: { ...node.metadata.annotations, [TOPOLOGY_ANNOTATION]: topologyAnnotation(placeableTopology(inventory)) } }
}

/** Labels of hardware that is no longer there go; with no inventory nothing is known to be gone. */
function keptLabels(node: Node, { inventory }: DeviceNews): Readonly<Record<string, string>> {
  const labels = Object.entries(node.metadata.labels ?? {})
  return Object.fromEntries(inventory === null ? labels : labels.filter(([key]) => !isHardwareLabel(key)))
}

function deviceLabels({ device, inventory }: DeviceNews): Readonly<Record<string, string>> {
  const base = { 'kubernetes.io/hostname': device }
  if (inventory === null) return base
  return {
    ...hardwareLabels(inventory),
    ...soundLabels(inventory.labels ?? {}),
    ...base,
    'kubernetes.io/os': 'linux',
    ...(inventory.os === undefined ? {} : { 'kubernetes.io/arch': goArch(inventory.os.arch) }),
  }
}

/** A device's own words become labels only where Kubernetes would take them. */
function soundLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => check(LABELS, { [key]: value }).length === 0))
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  ia32: '386',
  i686: '386',
}

/** Names as container images use them. */
function goArch(arch: string): string {
  return Object.hasOwn(ARCHITECTURES, arch) ? (ARCHITECTURES[arch] ?? arch) : arch
}

/** Base units to quantities; a device takes no more pods than a document can carry. */
function quantities(amounts: Readonly<Record<string, number>>): Readonly<Record<string, string>> {
  const out: Record<string, string> = { pods: String(LIMITS.podsPerDevice.value) }
  for (const [name, amount] of Object.entries(amounts)) {
    const whole = Math.max(0, Math.floor(amount))
    if (name === 'cpu') out[name] = formatMilli(whole)
    else if (name === 'pods') out[name] = String(Math.min(whole, LIMITS.podsPerDevice.value))
    else if (name.startsWith('hugepages-')) out[name] = formatBytes(whole)
    else if (name === 'memory' || name === 'ephemeral-storage') out[name] = `${Math.floor(whole / 1024)}Ki`
    else out[name] = String(whole)
  }
  return out
}

function nodeInfo({ os, engine, agentVersion }: Inventory): NonNullable<NonNullable<Node['status']>['nodeInfo']> {
  return {
    machineID: os?.machineId ?? '',
    systemUUID: os?.machineId ?? '',
    bootID: os?.bootId ?? '',
    kernelVersion: os?.kernel ?? '',
    osImage: os?.name ?? '',
    containerRuntimeVersion: engine === undefined ? '' : `${engine.name ?? 'docker'}://${engine.version ?? ''}`,
    kubeletVersion: `v${agentVersion}`,
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: goArch(os?.arch ?? ''),
  }
}

function addressesOf(
  device: string,
  inventory: Inventory | null,
  report: StatusReport | null,
): readonly { readonly type: string; readonly address: string }[] {
  const ip = report?.hostIP ?? inventory?.addresses?.[0]?.address
  return [...(ip === undefined ? [] : [{ type: 'InternalIP', address: ip }]), { type: 'Hostname', address: device }]
}

function conditionsOf(node: Node, news: DeviceNews): readonly Condition[] {
  const known = (type: string): boolean => conditionOf(node.status?.conditions, type) !== null
  return [
    ...pressures(node, news),
    readyOf(node, news),
    conflictOf(news),
    ...overrideConditions(news.report, known('LocalOverride')),
    ...agentConditions(news.report, known),
  ]
}

function readyOf(node: Node, { report, silent, inventory }: DeviceNews): Condition {
  // after a restart of the cloud the parts come again one by one: what is stored holds until then
  const before = conditionOf(node.status?.conditions, 'Ready')
  if (silent !== null) return ready('Unknown', 'NodeStatusUnknown', causeSentence(silent))
  if (report === null && before?.status === 'True') return before
  if (inventory === null && node.status?.capacity === undefined) return ready('False', 'InventoryMissing', 'The device has not told yet what it has.')
  if (report === null) return ready('False', 'ReportMissing', 'The device has not reported yet.')
  if (!report.engine.reachable) {
    const why = report.causes.find((given) => given.code.startsWith('engine.'))
    return ready('False', 'EngineUnreachable', why === undefined ? 'The container engine does not answer.' : causeSentence(why))
  }
  return ready('True', 'AgentReady', 'The agent reports and its container engine answers.')
}

function ready(status: string, reason: string, message: string): Condition {
  return { type: 'Ready', status, reason, message }
}

function conflictOf({ alarms }: DeviceNews): Condition {
  const first = alarms[0]
  return first === undefined
    ? { type: 'IdentityOrEpochConflict', status: 'False', reason: 'NoConflict', message: 'One agent and one cloud speak for this device.' }
    : {
        type: 'IdentityOrEpochConflict',
        status: 'True',
        reason: first.code === 'desired.behind' ? 'DeviceAhead' : 'IdentityConflict',
        message: alarms.map(causeSentence).join(' '),
      }
}

const MEMORY_PRESSURE_SHARE = 0.05
const DISK_PRESSURE_SHARE = 0.95
const PID_PRESSURE_SHARE = 0.95

function pressures(node: Node, { inventory, report, silent }: DeviceNews): readonly Condition[] {
  const disk = report?.causes.find((given) => given.code.startsWith('storage.') || given.code === 'image.pull.disk-full')
  const full = inventory?.fileSystems?.find(
    (fs) => fs.mount === '/' && fs.sizeBytes !== undefined && (fs.usedBytes ?? 0) > fs.sizeBytes * DISK_PRESSURE_SHARE,
  )
  // the agent looks every ten seconds and acts on what it sees; an inventory is minutes old
  const told = (signal: string): string | null => {
    const found = report?.causes.find(({ code }) => code === `device.pressure.${signal}`)
    return found === undefined ? null : causeSentence(found)
  }
  const memory = inventory?.memory
  const short = memory?.availableBytes !== undefined && memory.availableBytes < memory.totalBytes * MEMORY_PRESSURE_SHARE
  const pids = inventory?.pids
  const crowded = pids?.used !== undefined && pids.used > pids.capacity * PID_PRESSURE_SHARE
  const is = (type: string, fault: string | null, reason: string, fine: string): Condition => {
    const before = conditionOf(node.status?.conditions, type)
    if (silent === null && inventory === null && before !== null && before.status !== 'Unknown') return before
    if (silent !== null || inventory === null)
      return { type, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Not known: the device is not heard.' }
    return fault === null ? { type, status: 'False', reason: fine, message: 'Within limits.' } : { type, status: 'True', reason, message: fault }
  }
  const worn = (inventory?.disks ?? []).find(isWorn)
  return [
    is(
      'MemoryPressure',
      told('memory') ??
        (short
          ? causeSentence(
              cause('node.memory-short', { available: humanBytes(memory?.availableBytes ?? 0), total: humanBytes(memory?.totalBytes ?? 0) }),
            )
          : null),
      'MemoryShort',
      'MemorySufficient',
    ),
    is(
      'DiskPressure',
      told('disk') ?? (disk !== undefined ? causeSentence(disk) : full !== undefined ? causeSentence(diskFull(full)) : null),
      'DiskShort',
      'DiskSufficient',
    ),
    is(
      'PIDPressure',
      told('pids') ?? (crowded ? causeSentence(cause('node.pids-short', { used: pids?.used ?? 0, capacity: pids?.capacity ?? 0 })) : null),
      'PidsShort',
      'PidsSufficient',
    ),
    is('StorageWorn', worn === undefined ? null : causeSentence(wornCause(worn)), 'DiskWorn', 'DisksSound'),
  ]
}

function diskFull({ mount, usedBytes = 0, sizeBytes = 0 }: NonNullable<Inventory['fileSystems']>[number]): Cause {
  return cause('node.disk-full', { mount, used: humanBytes(usedBytes), size: humanBytes(sizeBytes) })
}

type Disk = NonNullable<Inventory['disks']>[number]
const WORN_PERCENT = 90

/** The disk's own word counts first; its estimate of used life is a rough one. */
function isWorn({ endOfLife, lifeUsedPercent = 0 }: Disk): boolean {
  return endOfLife === 'warning' || endOfLife === 'urgent' || lifeUsedPercent >= WORN_PERCENT
}

function wornCause({ name, endOfLife, lifeUsedPercent }: Disk): Cause {
  const used = lifeUsedPercent === undefined ? 'spare blocks run out' : `up to ${lifeUsedPercent} % of its rated life is used`
  return cause('node.disk-worn', { disk: name, used, warns: endOfLife ?? 'normal' })
}
