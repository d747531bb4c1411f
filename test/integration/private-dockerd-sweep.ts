/** Ends and removes everything below one engine's folder. Synchronous, so that it can run while the process exits. */
import { execFile, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Folders of engines, below the temporary folder. */
export const ENGINE_PREFIX = 'skdk-'
const NAMESPACES = '/var/run/netns'

/** This side of the cable between the machine and the engine's namespace. */
export function cableOf(netns: string): string {
  return `v-${netns.slice(-8)}`
}

/** Writes down whose engine this is: whoever finds the folder later can tell whether its owner still lives. */
export function ownFolder(dir: string): void {
  // at once or not at all: another run's sweep may look at any moment
  writeFileSync(join(dir, 'owner.new'), `${process.pid} ${startOf(process.pid)}`)
  renameSync(join(dir, 'owner.new'), join(dir, 'owner'))
}

/**
 * Ends what test processes that were killed left behind: their engines would go on, and a left-over cable has the address that the next
 * testbed wants, whose gateway then reaches nobody.
 */
export function sweepAbandoned(): void {
  for (const name of names(tmpdir())) {
    const dir = join(tmpdir(), name)
    if (name.startsWith(ENGINE_PREFIX) && existsSync(join(dir, 'owner')) && !livesOwner(dir)) sweep(dir, name)
  }
  for (const name of names(NAMESPACES))
    if (name.startsWith(ENGINE_PREFIX) && !existsSync(join(tmpdir(), name))) spawnSync('ip', ['netns', 'del', name])
}

function livesOwner(dir: string): boolean {
  const [pid = '', start = ''] = read(join(dir, 'owner')).split(' ')
  return start !== '' && startOf(Number(pid)) === start
}

/** A pid comes round again; with the moment of its start it does not. '' when there is no such process. */
function startOf(pid: number): string {
  return statOf(pid)[19] ?? ''
}

function names(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

/** Kills processes whose command line names the folder, undoes mounts below it, deletes the namespace and the folder. */
export function sweep(dir: string, netns: string): void {
  for (let round = 0; round < 20 && killBelow(dir) > 0; round += 1) spawnSync('sleep', ['0.1'])
  for (const mount of mountsBelow(dir)) spawnSync('umount', ['-l', mount])
  // a namespace goes some time after its name, and the address of its cable with it: the cable goes now
  spawnSync('ip', ['link', 'del', cableOf(netns)])
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
  return Number(statOf(pid)[1] ?? 0)
}

/** Fields of /proc/PID/stat from the state on: 1 is the parent, 19 the start in clock ticks since boot. */
function statOf(pid: number): readonly string[] {
  const stat = read(`/proc/${pid}/stat`)
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
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
