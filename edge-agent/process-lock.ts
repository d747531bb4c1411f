/**
 * One agent a state folder. The lock names its owner by boot id, pid and start time, so that a lock left by kill -9 or a power
 * cut is recognised: a pid alone is soon somebody else's. INVARIANTS: the lock file appears whole or not at all (link); of two
 * agents that find a dead lock, one wins; a live owner's lock is never removed.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Lock = { readonly ok: true; readonly release: () => void } | { readonly ok: false; readonly message: string }

/** Makes the folder when it is absent. Throws when the folder cannot be written. */
export function takeLock(stateDir: string, pid: number = process.pid): Lock {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const path = join(stateDir, 'agent.lock')
  const mine = `${path}.${pid}`
  const me = describe(pid) ?? `unknown ${pid} 0`
  writeFileSync(mine, me, { mode: 0o600 })
  try {
    for (let round = 0; round < 5; round += 1) {
      if (linked(mine, path)) return { ok: true, release: () => release(path, me) }
      const owner = read(path)
      if (owner !== null && isAlive(owner)) {
        const who = `another agent (pid ${owner.split(' ')[1] ?? '?'})`
        return { ok: false, message: `${who} runs with the state folder ${stateDir}; stop it, or give this one its own --state` }
      }
      if (owner !== null) setAside(path, owner, `${mine}.dead`)
    }
    return { ok: false, message: `the lock ${path} changes hands all the time; start again when no other agent starts` }
  } finally {
    remove(mine)
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Moves a dead lock away; when it turns out to be another's new one, puts it back. */
function setAside(path: string, expected: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if (read(aside) !== expected) linked(aside, path)
  remove(aside)
}

function release(path: string, me: string): void {
  if (read(path) === me) remove(path)
}

function isAlive(owner: string): boolean {
  const [boot, pid] = owner.split(' ')
  // another boot: whoever has that pid now is not the owner
  return boot !== undefined && pid !== undefined && boot === bootId() && describe(Number(pid)) === owner
}

/** `<boot id> <pid> <start time in ticks>`, null when there is no such process. */
function describe(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // the name, in parentheses, may hold spaces; the start time is the 22nd field, the 20th after it
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return null
  return `${bootId()} ${pid} ${fields[18] ?? '0'}`
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown'
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // gone already
  }
}
