/**
 * The files of a board with two NUMA nodes, for `skerry-agent run --hardware-root`: node 0 has CPU 0, node 1 has CPUs 1 and 2, both
 * have 4 GiB. The third CPU is there for what the device keeps for itself (a tenth of one): two pods with a CPU each leave it free,
 * and no pod fits on it, so that only CPUs 0 and 1 must exist on the machine that runs the test.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const NODE_KIB = 4 * 1024 * 1024
/** how many PIDs the board has; a tenth is its own */
export const BOARD_PIDS = 4_096

export function writeTwoNodeBoard(root: string): void {
  for (const [file, text] of Object.entries({ ...processes(), ...cpus(), ...node(0, '0', '10 21'), ...node(1, '1-2', '21 10') })) {
    const at = path.join(root, file)
    mkdirSync(path.dirname(at), { recursive: true })
    writeFileSync(at, `${text}\n`)
  }
}

function processes(): Readonly<Record<string, string>> {
  return {
    'proc/sys/kernel/pid_max': String(BOARD_PIDS),
    'proc/sys/kernel/threads-max': '63000',
    'proc/loadavg': '0.10 0.10 0.10 1/210 4000',
    'proc/meminfo': `MemTotal: ${2 * NODE_KIB} kB\nMemAvailable: ${NODE_KIB} kB\nSwapTotal: 0 kB`,
    'proc/cpuinfo': [0, 1, 2].map((cpu) => `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\nflags\t\t: fpu lm\n`).join('\n'),
  }
}

function cpus(): Readonly<Record<string, string>> {
  const dir = 'sys/devices/system/cpu'
  const each = [0, 1, 2].flatMap((cpu) => [
    [`${dir}/cpu${cpu}/topology/thread_siblings_list`, String(cpu)],
    [`${dir}/cpu${cpu}/topology/core_id`, String(cpu)],
    [`${dir}/cpu${cpu}/topology/physical_package_id`, cpu === 0 ? '0' : '1'],
  ])
  return { [`${dir}/online`]: '0-2', [`${dir}/present`]: '0-2', ...Object.fromEntries(each) }
}

function node(id: number, list: string, distance: string): Readonly<Record<string, string>> {
  const dir = `sys/devices/system/node/node${id}`
  return {
    'sys/devices/system/node/online': '0-1',
    [`${dir}/cpulist`]: list,
    [`${dir}/distance`]: distance,
    [`${dir}/meminfo`]: `Node ${id} MemTotal: ${NODE_KIB} kB`,
  }
}
