/** The words for Services on a device. Plain data. */

/** A network of the engine that the agent makes and removes. */
export interface PlannedNetwork {
  readonly name: string
  /** absent = the network of a namespace, which pods join */
  readonly address?: string
  /** what it is for: a namespace, or `namespace/name` of a Service */
  readonly of: string
}

/** One address that answers for a port of a Service. */
export interface Backend {
  readonly host: string
  readonly port: number
  /** pods of this device come first; others are asked when none of these takes the connection */
  readonly near: boolean
}

export interface PlannedListener {
  /** `namespace/name` */
  readonly service: string
  /** null = every address of the device, for others of its site */
  readonly host: string | null
  readonly port: number
  /** never empty: a port without anybody behind it refuses, as in Kubernetes */
  readonly backends: readonly Backend[]
  /** one client stays with one backend for this long; null = it does not */
  readonly affinitySeconds: number | null
}

/** The hosts file of one pod. */
export interface PlannedHosts {
  readonly podUid: string
  readonly text: string
}

/** Everything that is to be so. Equal states of the device give equal plans. */
export interface ServicePlan {
  readonly networks: readonly PlannedNetwork[]
  readonly listeners: readonly PlannedListener[]
  readonly hosts: readonly PlannedHosts[]
}
