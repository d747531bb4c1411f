/** Which programs a running process starts, as the kernel sees it: its threads are followed, and are none. Needs strace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Seen {
  /** calls that made a process or replaced the program of one */
  readonly started: readonly string[]
  /** files that were opened, each once */
  readonly opened: readonly string[]
}

/** Resolves when every thread of the process is watched. */
export async function watchProcesses(pid: number, file: string): Promise<{ end(): Promise<Seen> }> {
  const calls = 'trace=execve,execveat,clone,clone3,fork,vfork,openat'
  const strace = spawn('strace', ['-f', '-qq', '-e', calls, '-o', file, '-p', String(pid)], { stdio: 'ignore' })
  const ended = once(strace, 'exit')
  while (!everyThreadIsTraced(pid)) {
    if (strace.exitCode !== null) throw new Error(`strace ended with code ${strace.exitCode}`)
    await sleep(50)
  }
  return {
    end: async () => {
      strace.kill('SIGINT')
      await ended
      const lines = readFileSync(file, 'utf8').split('\n')
      return {
        started: lines.filter((line) => /\b(execve|execveat|fork|vfork|clone3?)\(/.test(line) && !line.includes('CLONE_THREAD')),
        opened: [...new Set(lines.flatMap((line) => /openat\([^"]*"([^"]*)"/.exec(line)?.[1] ?? []))],
      }
    },
  }
}

function everyThreadIsTraced(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => !/^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')))
}
