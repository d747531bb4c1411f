/** Time-sliced GPUs: each is offered several times. Which replicas does a pod get, and how many are there to ask for? */

export type ReplicaPolicy = 'distributed' | 'packed'

export interface ReplicaWorld {
  /** replicas of each GPU */
  readonly replicas: number
  /** GPU -> replicas not in use */
  readonly available: ReadonlyMap<string, number>
}

/**
 * GPU -> replicas of it, `size` together; null when not so many are free. One at a time: from the GPU with the fewest replicas in
 * use (distributed) or the most (packed); equal ones by fewest picked this time, then by id.
 */
export function pickReplicas(policy: ReplicaPolicy, world: ReplicaWorld, size: number): ReadonlyMap<string, number> | null {
  const left = new Map([...world.available].filter(([, free]) => free > 0))
  const picked = new Map<string, number>()
  for (let round = 0; round < size; round += 1) {
    const gpu = [...left.keys()].sort((a, b) => rank(policy, world, left, a, b) || (picked.get(a) ?? 0) - (picked.get(b) ?? 0) || compareIds(a, b))[0]
    if (gpu === undefined) return null
    picked.set(gpu, (picked.get(gpu) ?? 0) + 1)
    const free = (left.get(gpu) ?? 0) - 1
    if (free === 0) left.delete(gpu)
    else left.set(gpu, free)
  }
  return picked
}

function rank(policy: ReplicaPolicy, world: ReplicaWorld, left: ReadonlyMap<string, number>, a: string, b: string): number {
  const [usedA, usedB] = [world.replicas - (left.get(a) ?? 0), world.replicas - (left.get(b) ?? 0)]
  return policy === 'packed' ? usedB - usedA : usedA - usedB
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The resource that replicas are offered as, and how many there are. */
export function advertisedReplicas(gpus: number, replicas: number, rename: boolean): { readonly resource: string; readonly count: number } {
  return { resource: rename ? 'nvidia.com/gpu.shared' : 'nvidia.com/gpu', count: gpus * replicas }
}

/** Several replicas are not several times the power: an operator may refuse such requests. */
export function replicaRequestAllowed(failRequestsGreaterThanOne: boolean, request: number): boolean {
  return !failRequestsGreaterThanOne || request <= 1
}
