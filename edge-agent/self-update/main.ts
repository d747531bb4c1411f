/**
 * What the service starts: chooses the agent (packaged, or a slot), counts the start, and runs that file in this process, so
 * that no second process stays behind. INVARIANTS: the count is durable before the agent begins; an agent on trial that has
 * not proven itself in time is killed from another thread, which its own loops cannot hold up; whatever is wrong with the
 * slots, the packaged agent is started.
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { chooseStart } from '../core/agent-slots.ts'
import type { Slots } from '../core/agent-slots.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { agentsDir, fileOfSlot, readSlots, SLOTS_FILE, textOfSlots } from './slots-file.ts'

/** EX_SOFTWARE */
const EXIT_BAD_START = 70
const launcher = process.argv[1] ?? ''
const basePath = process.env['SKERRY_AGENT_BASE'] ?? path.join(path.dirname(launcher), 'skerry-agent.cjs')

async function launch(): Promise<void> {
  const flag = process.argv.indexOf('--state')
  const stateDir = (flag > 0 ? process.argv[flag + 1] : undefined) ?? process.env['SKERRY_STATE'] ?? '/var/lib/skerry-agent'
  const chosen = process.argv[2] === 'run' ? choose(stateDir) : { slot: 'base' as const, trial: false }
  const file = chosen.slot === 'base' ? basePath : fileOfSlot(stateDir, chosen.slot)
  if (process.argv[2] === 'run') process.env['SKERRY_SLOT'] = chosen.slot
  if (chosen.trial) await startGuard(stateDir)
  await import(pathToFileURL(file).href)
}

/** Never throws: a folder that cannot be read or written means the packaged agent. */
function choose(stateDir: string): { readonly slot: Slots['current']; readonly trial: boolean } {
  try {
    const base = identityOf(basePath)
    const text = read(path.join(agentsDir(stateDir), SLOTS_FILE))
    const before = readSlots(text?.toString('utf8') ?? null, base)
    const next = chooseStart(before, { base, sha256Of: (slot) => sha256(read(fileOfSlot(stateDir, slot))) })
    if (next !== before) write(stateDir, next)
    if (next.current !== before.current) say(`the agent in slot ${before.current} is given up: ${next.failed[0]?.why ?? 'another one is packaged'}`)
    return { slot: next.current, trial: next.trial !== null }
  } catch (error) {
    say(`the slots cannot be used, the packaged agent is started: ${error instanceof Error ? error.message : String(error)}`)
    return { slot: 'base', trial: false }
  }
}

async function startGuard(stateDir: string): Promise<void> {
  const guard = new Worker(launcher, { workerData: { stateDir, ms: Number(process.env['SKERRY_PROVE_MS'] ?? LIMITS.agentProveMs.value) } })
  await new Promise((resolve) => guard.once('online', resolve))
  guard.unref()
}

/** In its own thread. */
function guard({ stateDir, ms }: { readonly stateDir: string; readonly ms: number }): void {
  setTimeout(() => {
    const slots = readSlots(read(path.join(agentsDir(stateDir), SLOTS_FILE))?.toString('utf8') ?? null, '')
    if (slots.trial !== null) process.kill(process.pid, 'SIGKILL')
  }, ms)
}

function write(stateDir: string, slots: Slots): void {
  const dir = agentsDir(stateDir)
  const file = path.join(dir, SLOTS_FILE)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const fd = openSync(`${file}.start`, 'w', 0o600)
  writeSync(fd, textOfSlots(slots))
  fsyncSync(fd)
  closeSync(fd)
  renameSync(`${file}.start`, file)
  const folder = openSync(dir, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** Another package has another size or time. */
function identityOf(file: string): string {
  const { size, mtimeMs } = statSync(file)
  return `${size} ${Math.round(mtimeMs)}`
}

function read(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

function sha256(bytes: Buffer | null): string | null {
  return bytes === null ? null : createHash('sha256').update(bytes).digest('hex')
}

function say(text: string): void {
  process.stderr.write(`skerry-launch: ${text}\n`)
}

if (isMainThread) {
  launch().catch((error: unknown) => {
    say(`this agent cannot be started: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(EXIT_BAD_START)
  })
} else guard(workerData as { readonly stateDir: string; readonly ms: number })
