/** The Rollout of the fleet's story over the API, as an operator's program would write and read it. */
import type { RolloutMember } from '../../cloud/resources/rollout-members.ts'
import type { RolloutStatus } from '../../cloud/resources/rollout-status.ts'
import type { Fleet } from './fleet.ts'

export const ROLLOUTS = '/apis/skerry.dev/v1/namespaces/default/rollouts'
const NAME = 'app-2'

export type Member = Pick<RolloutMember, 'node' | 'wave' | 'verdict'>

export interface RolloutNow {
  readonly phase: string
  readonly message: string
  readonly pausedBy: string
  readonly pauses: number
  readonly releasedWave: number
  readonly counts: Readonly<Record<string, number>>
  readonly waves: readonly { readonly number: number; readonly name: string; readonly state: string; readonly startedAt?: string }[]
}

/** Five waves; the gate pauses it when more than 1 % of those that came to an end failed. */
export function rolloutOfFleet(devices: number, image: string): unknown {
  return {
    apiVersion: 'skerry.dev/v1',
    kind: 'Rollout',
    metadata: { name: NAME },
    spec: {
      release: [{ daemonSet: 'app', images: { main: image } }],
      waves: [
        { name: 'canary', count: Math.max(5, Math.ceil(devices / 100)) },
        { name: 'few', percent: 10 },
        { name: 'some', percent: 20 },
        { name: 'many', percent: 30 },
        { name: 'rest' },
      ],
      gate: { healthyPercent: 97, soakSeconds: 2, maxFailurePercent: 1, minMembers: 5 },
      // a device that cannot fetch the image is judged by this alone; a large fleet on a small machine takes its time
      deadlineSeconds: Math.max(40, Math.ceil(devices / 50)),
      silence: { policy: 'Ignore', afterSeconds: 1 },
      maxParallel: '100%',
    },
  }
}

export async function rolloutOf(fleet: Fleet): Promise<RolloutNow> {
  const { status } = (await fleet.api.call('GET', `${ROLLOUTS}/${NAME}`)) as { readonly status?: RolloutStatus }
  return {
    phase: status?.phase ?? '',
    message: status?.message ?? '',
    pausedBy: status?.pausedBy ?? '',
    pauses: status?.pauses ?? 0,
    releasedWave: status?.releasedWave ?? 0,
    counts: { ...status?.counts },
    waves: (status?.waves ?? []).map(({ number, name, state, startedAt }) => ({
      number,
      name,
      state,
      ...(startedAt === undefined ? {} : { startedAt }),
    })),
  }
}

export async function members(fleet: Fleet): Promise<readonly Member[]> {
  const { items } = (await fleet.api.call('GET', `${ROLLOUTS}/${NAME}/members?limit=${fleet.names.length}`)) as { readonly items: readonly Member[] }
  return items
}

/** Leaves devices out and goes on after the pauses until now. */
export async function excludeAndResume(fleet: Fleet, names: readonly string[], pauses: number): Promise<void> {
  const spec = { exclude: [{ names, reason: 'a broken batch' }], acknowledgedPauses: pauses }
  await fleet.api.call('PATCH', `${ROLLOUTS}/${NAME}`, { spec }, 'application/merge-patch+json')
}
