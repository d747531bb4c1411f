/** Ends and removes everything below one engine's folder. Synchronous, so that it can run while the process exits. */
import { execFile, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Kills processes whose command line names the folder, undoes mounts below it, deletes the namespace and the folder. */
export function sweep(dir: string, netns: string): void {
  for (let round = 0; round < 20 && killBelow(dir) > 0; round += 1) spawnSync('sleep', ['0.1'])
  for (const mount of mountsBelow(dir)) spawnSync('umount', ['-l', mount])
  spawnSync('ip', ['netns', 'del', netns])
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
}

/** Containers are children of shims, and shims name the folder; both end. */
function killBelow(dir: string): number {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const ours = new Set(pids.filter((pid) => pid !== process.pid && read(`/proc/${pid}/cmdline`).includes(dir)))
  const doomed = [...ours, ...pids.filter((pid) => ours.has(parentOf(pid)))]
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // ended by itself
    }
  }
  return ours.size
}

function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
}

/** Deepest first. */
function mountsBelow(dir: string): readonly string[] {
  const points = read('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => point.startsWith(`${dir}/`)).toSorted((a, b) => b.length - a.length)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Full path of a program on PATH or in the system folders, or null. */
export function findProgram(name: string): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/bin']) {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // next folder
    }
  }
  return null
}

/** Runs a program to its end; rejects with its error output. */
export function runOk(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`))
    })
  })
}
