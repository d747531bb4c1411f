/**
 * Engine JSON -> our words. Pure and tolerant: fields that are missing or of another type read as absent, unknown ones are
 * ignored, so that an engine newer than this agent still works.
 */
import { clip } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { EngineInfo, ObservedContainer } from '../core/model.ts'
import { readPreStop } from './pre-stop-label.ts'
import { LABELS } from './to-docker.ts'

/** What the list call says of one container: enough to know whether a closer look is needed. */
export interface ListedContainer {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly imageId: string | null
  readonly state: ObservedContainer['state']
  readonly labels: Readonly<Record<string, string>>
  readonly ip: string | null
}

/** What only inspect knows. */
export interface ContainerDetail {
  readonly state: ObservedContainer['state']
  readonly exitCode: number | null
  readonly oomKilled: boolean
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly error: string
  /** the list may be older: it was made before the container had one */
  readonly ip: string | null
  readonly graceSeconds?: number
  readonly cpus?: string
  readonly pid?: number
}

/** Entries without an id are dropped. */
export function readList(json: unknown): readonly ListedContainer[] {
  if (!Array.isArray(json)) return []
  const items: readonly unknown[] = json
  return items.flatMap((item) => {
    if (!isRecord(item)) return []
    const id = text(item['Id'])
    if (id === '') return []
    const names: readonly unknown[] = Array.isArray(item['Names']) ? item['Names'] : []
    return [
      {
        id,
        name: text(names[0]).replace(/^\//, ''),
        image: text(item['Image']),
        imageId: textOrNull(item['ImageID']),
        state: readState(item['State']),
        labels: readLabels(item['Labels']),
        ip: readIp(item['NetworkSettings']),
      },
    ]
  })
}

/** Bytes of writable layers by container id, from a list with sizes. */
export function readLayerSizes(json: unknown): Readonly<Record<string, number>> {
  const items: readonly unknown[] = Array.isArray(json) ? json : []
  return Object.fromEntries(
    items.flatMap((item) =>
      isRecord(item) && typeof item['SizeRw'] === 'number' && text(item['Id']) !== '' ? [[text(item['Id']), item['SizeRw']]] : [],
    ),
  )
}

/** null when the answer is not an inspect document. */
export function readInspect(json: unknown): ContainerDetail | null {
  if (!isRecord(json) || !isRecord(json['State'])) return null
  const state = json['State']
  const grace = isRecord(json['Config']) ? json['Config']['StopTimeout'] : undefined
  const cpus = isRecord(json['HostConfig']) ? json['HostConfig']['CpusetCpus'] : undefined
  const ended = readState(state['Status']) !== 'running' && readState(state['Status']) !== 'created'
  return {
    state: readState(state['Status']),
    exitCode: ended && typeof state['ExitCode'] === 'number' ? state['ExitCode'] : null,
    oomKilled: state['OOMKilled'] === true,
    startedAt: readTime(state['StartedAt']),
    finishedAt: ended ? readTime(state['FinishedAt']) : null,
    error: clip(text(state['Error'])),
    ip: readIp(json['NetworkSettings']),
    ...(typeof grace === 'number' ? { graceSeconds: grace } : {}),
    ...(typeof cpus === 'string' ? { cpus } : {}),
    ...(typeof state['Pid'] === 'number' && state['Pid'] > 0 ? { pid: state['Pid'] } : {}),
  }
}

/** null when a label of ours is missing: such a container was not made by this agent and is left alone. */
export function toObserved(listed: ListedContainer, detail: ContainerDetail): ObservedContainer | null {
  const { labels } = listed
  const podUid = labels[LABELS.podUid]
  const specHash = labels[LABELS.specHash]
  const containerName = labels[LABELS.container]
  const sandbox = labels[LABELS.sandbox]
  const ownCpus = labels[LABELS.ownCpus]
  if (podUid === undefined || specHash === undefined || containerName === undefined) return null
  return {
    id: listed.id,
    name: listed.name,
    podUid,
    specHash,
    namespace: labels[LABELS.namespace] ?? '',
    podName: labels[LABELS.pod] ?? '',
    containerName,
    image: labels[LABELS.image] ?? listed.image,
    imageId: labels[LABELS.imageId] ?? listed.imageId,
    ...detail,
    ...readPreStop(labels),
    ip: detail.state === 'running' ? (listed.ip ?? detail.ip) : null,
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(ownCpus === undefined ? {} : { ownCpus }),
  }
}

export function readEngineInfo(info: unknown, version: unknown): EngineInfo {
  const facts = isRecord(info) ? info : {}
  const runtimes = isRecord(facts['Runtimes']) ? Object.keys(facts['Runtimes']).toSorted() : []
  return {
    version: text(facts['ServerVersion']),
    apiVersion: isRecord(version) ? text(version['ApiVersion']) : '',
    // engines before API 1.41 do not say; they only knew v1
    cgroup: textOrNull(facts['CgroupVersion']) ?? '1',
    storageDriver: text(facts['Driver']),
    runtimes,
    ...(text(facts['DockerRootDir']) === '' ? {} : { dataRoot: text(facts['DockerRootDir']).slice(0, 512) }),
  }
}

const STATES: ReadonlySet<string> = new Set<ObservedContainer['state']>(['created', 'running', 'paused', 'restarting', 'exited', 'dead', 'removing'])

/** Podman's own words are mapped; an unknown word reads as `dead`: it is neither running nor startable for sure. */
function readState(value: unknown): ObservedContainer['state'] {
  const word = text(value).toLowerCase()
  if (STATES.has(word)) return word as ObservedContainer['state']
  if (word === 'configured' || word === 'initialized') return 'created'
  if (word === 'stopped' || word === 'stopping') return 'exited'
  return 'dead'
}

function readLabels(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {}
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (typeof item === 'string' ? [[key, item]] : [])))
}

function readIp(value: unknown): string | null {
  const networks = isRecord(value) && isRecord(value['Networks']) ? Object.values(value['Networks']) : []
  for (const network of networks) {
    const ip = isRecord(network) ? text(network['IPAddress']) : ''
    if (ip !== '') return ip
  }
  return null
}

/** Go's zero time means never. */
function readTime(value: unknown): string | null {
  const time = text(value)
  return time === '' || time.startsWith('0001-01-01') ? null : time
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: unknown): string | null {
  const word = text(value)
  return word === '' ? null : word
}
