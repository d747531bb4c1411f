/** Short ways to write what an agent knows and sees; used by golden cases, reducer tests and properties. */
import type { DesiredPod, DesiredState, ObservedContainer } from '../edge-agent/core/model.ts'
import { NO_ENTRY } from '../edge-agent/core/ledger.ts'
import type { Ledger, LedgerEntry } from '../edge-agent/core/saved-model.ts'
import { containerName } from '../edge-agent/core/identity.ts'
import type { Inventory } from '../protocol/inventory.ts'

export const DEVICE = 'gw-1'

export interface PodInput {
  readonly uid: string
  readonly name?: string
  readonly hash?: string
  readonly image?: string
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  readonly grace?: number
  readonly hostPort?: number
  readonly hostNetwork?: boolean
  readonly placement?: DesiredPod['placement']
  /** main containers, when not the one called app */
  readonly containers?: readonly string[]
  /** init containers in order; a name that ends in + is a sidecar */
  readonly init?: readonly string[]
}

export interface FoundInput {
  readonly pod: string
  readonly hash?: string
  readonly name?: string
  readonly id?: string
  readonly image?: string
  readonly state?: ObservedContainer['state']
  readonly exitCode?: number
  readonly startedAt?: string | null
  readonly finishedAt?: string
  readonly grace?: number
  readonly container?: string
  /** id of the sandbox that it was made beside */
  readonly sandbox?: string
}

/** `a1` -> a 64 character hash that begins so. */
export function fullHash(short: string): string {
  return short.padEnd(64, '0')
}

export function pod(input: PodInput): DesiredPod {
  const { uid, hash = 'a1', image = 'registry.local/app:1', name = uid } = input
  const port = input.hostPort === undefined ? {} : { ports: [{ containerPort: 80, hostPort: input.hostPort }] }
  return {
    uid,
    namespace: 'default',
    name,
    specHash: fullHash(hash),
    spec: {
      containers: (input.containers ?? ['app']).map((one) => ({ name: one, image, ...port })),
      ...(input.init === undefined
        ? {}
        : {
            initContainers: input.init.map((one) => ({
              name: one.replace('+', ''),
              image,
              ...(one.endsWith('+') ? { restartPolicy: 'Always' as const } : {}),
            })),
          }),
      ...(input.restartPolicy === undefined ? {} : { restartPolicy: input.restartPolicy }),
      ...(input.grace === undefined ? {} : { terminationGracePeriodSeconds: input.grace }),
      ...(input.hostNetwork === undefined ? {} : { hostNetwork: input.hostNetwork }),
    },
    ...(input.placement === undefined ? {} : { placement: input.placement }),
  }
}

export function desiredOf(pods: readonly DesiredPod[], generation = 1, epoch = 1): DesiredState {
  return { device: DEVICE, epoch, generation, issuedAt: '2026-01-01T00:00:00Z', digest: fullHash(`d${epoch}${generation}`), pods }
}

export function found(input: FoundInput): ObservedContainer {
  const { pod: uid, hash = 'a1', state = 'running', name = uid, container = 'app' } = input
  const specHash = fullHash(hash)
  const ran = state !== 'created'
  return {
    id: input.id ?? `id-${uid}-${hash}`,
    name: containerName('default', name, container, uid, specHash),
    podUid: uid,
    specHash,
    namespace: 'default',
    podName: name,
    containerName: container,
    image: input.image ?? 'registry.local/app:1',
    imageId: 'sha256:1',
    state,
    exitCode: input.exitCode ?? null,
    oomKilled: false,
    startedAt: input.startedAt === undefined ? (ran ? '2026-01-01T00:00:00Z' : null) : input.startedAt,
    finishedAt: input.finishedAt ?? (state === 'exited' || state === 'dead' ? '2026-01-01T01:00:00Z' : null),
    error: '',
    ip: state === 'running' ? '172.17.0.2' : null,
    ...(input.grace === undefined ? {} : { graceSeconds: input.grace }),
    ...(input.sandbox === undefined ? {} : { sandbox: input.sandbox }),
  }
}

export function ledgerOf(entries: Readonly<Record<string, Partial<LedgerEntry>>>): Ledger {
  return Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, { ...NO_ENTRY, ...entry }]))
}

/** Two cpus, one memory node, 1000 PIDs. */
export function smallDevice(change: Partial<Inventory['topology']> = {}): Inventory {
  return {
    device: DEVICE,
    at: '2026-01-01T00:00:00Z',
    agentVersion: '0',
    topology: { threads: 2, onlineCpus: '0-1', numaNodes: [{ id: 0, cpus: '0-1' }], ...change },
    pids: { capacity: 1000 },
    allocatable: {},
    capacity: {},
  }
}
