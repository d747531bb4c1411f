/** The containers of the fake engine: dockerd's states and refusals, nothing else. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { ContainerPlan, ObservedContainer } from '../../edge-agent/core/model.ts'
import type { Clock } from '../../edge-agent/ports.ts'

/** Rejection of `info`, `observe` and `logs`, with its cause as the real adapter has it. */
export class EngineDown extends Error {
  readonly reason: Cause
  constructor(reason: Cause) {
    super(reason.code)
    this.reason = reason
  }
}

interface Kept {
  seen: ObservedContainer
  readonly device: string | null
  readonly ports: readonly string[]
}

export class FakeContainers {
  readonly #device: string
  readonly #clock: Clock
  readonly #byName = new Map<string, Kept>()
  #made = 0

  constructor(device: string, clock: Clock) {
    this.#device = device
    this.#clock = clock
  }

  all(): readonly ObservedContainer[] {
    return [...this.#byName.values()].map(({ seen }) => seen)
  }

  ours(): readonly ObservedContainer[] {
    return [...this.#byName.values()].filter(({ device }) => device === this.#device).map(({ seen }) => seen)
  }

  imageOf(target: string): string {
    return this.#find(target)?.seen.image ?? ''
  }

  startedAt(target: string): string | null {
    const found = this.#find(target)
    return found?.seen.state === 'running' ? found.seen.startedAt : null
  }

  addForeign(name: string): void {
    const blank = { podUid: '', specHash: '', namespace: '', podName: '', containerName: '' }
    this.#byName.set(name, { seen: this.#fresh({ ...blank, name }, 'foreign:1'), device: null, ports: [] })
  }

  /** null = done, here and below */
  create(plan: ContainerPlan): Cause | null {
    const { name } = plan.identity
    const holder = this.#byName.get(name)
    if (holder !== undefined) {
      const same = holder.device === plan.device && holder.seen.podUid === plan.identity.podUid && holder.seen.specHash === plan.identity.specHash
      return same ? null : cause('container.create.failed', { why: `Conflict. The container name "/${name}" is already in use` })
    }
    const ports = (plan.container.ports ?? []).flatMap((port) => (port.hostPort === undefined ? [] : [`${port.hostPort}/${port.protocol ?? 'TCP'}`]))
    const sandbox = typeof plan.network === 'object' ? { sandbox: plan.network.join } : {}
    const own = plan.placement?.cpus
    const cpus = own === undefined || own === '' ? { cpus: '' } : { cpus: own, ownCpus: own }
    const seen = { ...this.#fresh(plan.identity, plan.container.image), graceSeconds: plan.pod.graceSeconds, ...cpus, ...sandbox }
    this.#byName.set(name, { seen, device: plan.device, ports })
    return null
  }

  start(target: string): Cause | null {
    const found = this.#find(target)
    if (found === undefined) return cause('container.start.failed', { why: `No such container: ${target}` })
    if (found.seen.state === 'running') return null
    const taken = [...this.#byName.values()].filter((other) => other !== found && other.seen.state === 'running').flatMap((other) => other.ports)
    const clash = found.ports.find((port) => taken.includes(port))
    if (clash !== undefined) return cause('container.start.port-taken', { port: clash.split('/')[0] ?? '' })
    this.#made += 1
    const ip = `172.17.0.${1 + (this.#made % 250)}`
    found.seen = { ...found.seen, state: 'running', startedAt: this.#time(), finishedAt: null, exitCode: null, oomKilled: false, ip }
    return null
  }

  setCpus(target: string, cpus: string): Cause | null {
    const found = this.#find(target)
    if (found !== undefined) found.seen = { ...found.seen, cpus }
    return null
  }

  stop(target: string): Cause | null {
    this.exit(target, 143, false)
    return null
  }

  remove(target: string): Cause | null {
    const found = this.#find(target)
    if (found === undefined) return null
    if (found.seen.state === 'running') return cause('container.remove.failed', { why: `You cannot remove a running container ${found.seen.id}` })
    this.#byName.delete(found.seen.name)
    return null
  }

  /** Ends a container if it runs. */
  exit(target: string, exitCode: number, oomKilled: boolean): void {
    const found = this.#find(target)
    if (found?.seen.state !== 'running') return
    found.seen = { ...found.seen, state: 'exited', exitCode, oomKilled, finishedAt: this.#time(), ip: null }
  }

  killAll(exitCode: number): void {
    for (const { seen } of this.#byName.values()) this.exit(seen.name, exitCode, false)
  }

  #find(target: string): Kept | undefined {
    return this.#byName.get(target) ?? [...this.#byName.values()].find(({ seen }) => seen.id === target)
  }

  /** Every moment is different, as with the engine's nanoseconds: an exit is told apart from the one before. */
  #time(): string {
    this.#made += 1
    return `${new Date(this.#clock.now().wallMs).toISOString().slice(0, -1)}${String(this.#made % 1_000_000).padStart(6, '0')}Z`
  }

  #fresh(
    identity: Pick<ObservedContainer, 'name' | 'podUid' | 'specHash' | 'namespace' | 'podName' | 'containerName'>,
    image: string,
  ): ObservedContainer {
    this.#made += 1
    const { name, podUid, specHash, namespace, podName, containerName } = identity
    return {
      id: this.#made.toString(16).padStart(64, '0'),
      name,
      podUid,
      specHash,
      namespace,
      podName,
      containerName,
      image,
      imageId: `sha256:${image}`,
      state: 'created',
      exitCode: null,
      oomKilled: false,
      startedAt: null,
      finishedAt: null,
      error: '',
      ip: null,
    }
  }
}
