/** Which pods of a device a drain moves. Pure. */

export interface PodShown {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[]
  }
  readonly status?: { readonly phase?: string }
}

export interface DrainPlan {
  /** made again elsewhere, if another device can take them */
  readonly moving: readonly PodShown[]
  /** of DaemonSets: they belong to the device */
  readonly staying: number
  /** nothing would make them again: they are left */
  readonly alone: number
}

export function sorted(pods: readonly PodShown[]): DrainPlan {
  const live = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  const ownerOf = ({ metadata }: PodShown): string => metadata.ownerReferences?.find(({ controller }) => controller === true)?.kind ?? ''
  return {
    moving: live.filter((pod) => !['', 'DaemonSet', 'Node'].includes(ownerOf(pod))),
    staying: live.filter((pod) => ['DaemonSet', 'Node'].includes(ownerOf(pod))).length,
    alone: live.filter((pod) => ownerOf(pod) === '').length,
  }
}

/** What happens, before it does. */
export function drainSays({ moving, staying, alone }: DrainPlan): string {
  const count = (number: number, what: string): string => `${number} ${number === 1 ? what : `${what}s`}`
  return [
    `No new pods are placed there. ${count(moving.length, 'pod')} ${moving.length === 1 ? 'is' : 'are'} ended there and made again where there is room.`,
    ...(staying === 0 ? [] : [`${count(staying, 'pod')} of DaemonSets ${staying === 1 ? 'stays' : 'stay'}.`]),
    ...(alone === 0
      ? []
      : [
          `${count(alone, 'pod')} that nothing would make again ${alone === 1 ? 'stays' : 'stay'}, too: delete ${alone === 1 ? 'it' : 'them'} by hand.`,
        ]),
  ].join(' ')
}
