/**
 * A machine with systemd: this Debian, booted once more in namespaces of its own over an overlay in memory, with its own Docker and no
 * network but loopback. INVARIANTS: it ends with the process that made it; what it wrote is gone then, but for empty control groups.
 */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { whyNoDockerd } from './private-dockerd.ts'

const BOOT = path.join(import.meta.dirname, 'systemd-machine.sh')
const CGROUPS = '/sys/fs/cgroup'
/** as after a log-in: the Node of this project is not there */
const SURROUNDINGS = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root']

export interface SystemdMachine {
  /** runs a shell script as root on it; @returns what it printed @throws with all of it when it ends with another code than 0 */
  run(script: string): Promise<string>
  /** copies a file of this machine */
  put(from: string, to: string): Promise<void>
  destroy(): Promise<void>
}

/** Why none can be had here, or null. */
export function whyNoSystemd(): string | null {
  if (!existsSync('/lib/systemd/systemd')) return 'not installed: systemd'
  try {
    execFileSync('unshare', [
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && mount -t overlay -o lowerdir=/,upperdir=u,workdir=w o r',
    ])
  } catch {
    return 'the file system of this machine cannot be overlaid'
  }
  return whyNoDockerd()
}

/** Resolves when its Docker answers. */
export async function bootSystemdMachine(): Promise<SystemdMachine> {
  const name = `skerry-machine-${process.pid}`
  const child = spawn(BOOT, [name], { stdio: ['ignore', 'pipe', 'pipe'] })
  let console = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (console += chunk.toString()))
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const machine: SystemdMachine = {
    run: (script) => inside(child, ['env', '-i', ...SURROUNDINGS, 'sh', '-euc', script]),
    put: async (from, to) => void (await inside(child, ['sh', '-euc', `cat >${to}`], readFileSync(from))),
    destroy: async () => {
      process.off('exit', end)
      const gone = child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : Promise.resolve()
      end()
      await gone
      await removeGroups(name)
    },
  }
  for (let tries = 0; tries < 120; tries += 1) {
    if (child.exitCode !== null) break
    // before it has changed its root, the Docker of the host would answer
    const up = await machine.run('test -e /.machine; docker version').then(
      () => true,
      () => false,
    )
    if (up) return machine
    await sleep(500)
  }
  await machine.destroy()
  throw new Error(`the machine does not come up: ${console.slice(-2000)}`)
}

/** Its first process is the only child of the one that made the namespaces. */
function firstProcess({ pid }: ChildProcess): string {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  if (first === undefined || first === '') throw new Error('the machine is not running')
  return first
}

function inside(machine: ChildProcess, argv: readonly string[], input?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', ['-t', firstProcess(machine), '-a', ...argv], { stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(said) : reject(new Error(`${argv.at(-1)} ended with ${code}: ${said.slice(-4000)}`))))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

/** Its processes have ended; the kernel takes a moment to forget them. */
async function removeGroups(name: string): Promise<void> {
  const trees = existsSync(`${CGROUPS}/cgroup.controllers`) ? [CGROUPS] : readdirSync(CGROUPS).map((tree) => `${CGROUPS}/${tree}`)
  for (let tries = 0; tries < 50; tries += 1) {
    const left = trees.map((tree) => `${tree}/${name}`).filter((group) => existsSync(group) && !removed(group))
    if (left.length === 0) return
    await sleep(100)
  }
}

function removed(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) if (entry.isDirectory() && !removed(`${group}/${entry.name}`)) return false
    rmdirSync(group)
    return true
  } catch {
    return false
  }
}
