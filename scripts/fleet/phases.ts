/** Runs the steps of a story and prints what each cost: time, messages, bytes, CPU and memory of the cloud, also per device. */
import type { Fleet } from './fleet.ts'
import { machineBusyMs, usedBy } from './process-meter.ts'

export interface PhaseCost {
  readonly seconds: number
  readonly cloudCpuMs: number
  readonly cloudRssMiB: number
  readonly workersCpuMs: number
  readonly workersRssMiB: number
  readonly messages: { readonly up: number; readonly down: number }
  readonly bytes: { readonly up: number; readonly down: number }
  /** share of the machine's CPU time that neither the cloud nor the devices used */
  readonly othersShare: number
}

/** @throws what `work` throws, after saying which phase it was */
export async function phase(fleet: Fleet, name: string, work: () => Promise<void>): Promise<PhaseCost> {
  const before = await measure(fleet)
  try {
    await work()
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const cost = costOf(before, await measure(fleet))
  process.stdout.write(`${render(name, fleet.names.length, cost)}\n`)
  return cost
}

export function render(name: string, devices: number, cost: PhaseCost): string {
  const { seconds, cloudCpuMs, cloudRssMiB, workersCpuMs, workersRssMiB, messages, bytes, othersShare } = cost
  const columns = [
    name.padEnd(34),
    `${seconds.toFixed(1)} s`.padStart(8),
    `cloud ${(cloudCpuMs / 1000).toFixed(1)} s cpu (${(cloudCpuMs / devices).toFixed(2)} ms a device), ${cloudRssMiB.toFixed(0)} MiB`,
    `devices ${(workersCpuMs / 1000).toFixed(1)} s cpu, ${((workersRssMiB * 1024) / devices).toFixed(0)} KiB each`,
    `up ${messages.up} / ${kb(bytes.up)}, down ${messages.down} / ${kb(bytes.down)}`,
    `others used ${(othersShare * 100).toFixed(0)} % of the machine`,
  ]
  return columns.join('  ')
}

function kb(bytes: number): string {
  return bytes < 10_000_000 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** What everything has used up to now. */
export interface Moment {
  readonly atMs: number
  readonly cloud: ReturnType<typeof usedBy>
  readonly workers: readonly ReturnType<typeof usedBy>[]
  readonly busy: ReturnType<typeof machineBusyMs>
  readonly messages: { readonly up: number; readonly down: number }
  readonly bytes: { readonly up: number; readonly down: number }
}

export async function measure(fleet: Fleet): Promise<Moment> {
  const atMs = performance.now()
  const cloud = usedBy(fleet.cloud.child.pid)
  const workers = fleet.workers.map(({ pid }) => usedBy(pid))
  const busy = machineBusyMs()
  const { messages, bytes } = await fleet.traffic()
  return { atMs, cloud, workers, busy, messages, bytes }
}

export function costOf(before: Moment, after: Moment): PhaseCost {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
  // a cloud that was killed in between starts counting anew
  const cloudCpuMs = after.cloud.cpuMs >= before.cloud.cpuMs ? after.cloud.cpuMs - before.cloud.cpuMs : after.cloud.cpuMs
  const workersCpuMs = sum(after.workers.map(({ cpuMs }) => cpuMs)) - sum(before.workers.map(({ cpuMs }) => cpuMs))
  const total = after.busy.totalMs - before.busy.totalMs
  const busy = after.busy.busyMs - before.busy.busyMs
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    cloudCpuMs,
    cloudRssMiB: after.cloud.rssMiB,
    workersCpuMs,
    workersRssMiB: sum(after.workers.map(({ rssMiB }) => rssMiB)),
    messages: { up: after.messages.up - before.messages.up, down: after.messages.down - before.messages.down },
    bytes: { up: after.bytes.up - before.bytes.up, down: after.bytes.down - before.bytes.down },
    othersShare: total === 0 ? 0 : Math.max(0, (busy - cloudCpuMs - workersCpuMs) / total),
  }
}
