/**
 * The agent's log: one JSON object a line (time, level, msg, then its fields, as in the cloud), and the last of them in memory for the
 * field page. Secrets never come out of it.
 */
import { LIMITS } from '../protocol/limits.ts'
import type { Log, LogFields } from './ports.ts'

export interface AgentLog extends Log {
  /** the last lines, oldest first */
  lines(): readonly string[]
}

export interface LogOptions {
  readonly write: (line: string) => void
  readonly wallMs: () => number
  /** texts that are replaced wherever they would appear */
  readonly secrets: readonly string[]
}

const HIDDEN = '[hidden]'
const SECRET_LENGTH_MIN = 6
const SECRET_FIELD = /password|secret|token|authorization|credential|private/i

export function createLog({ write, wallMs, secrets }: LogOptions): AgentLog {
  const ring: string[] = []
  // inside JSON a secret stands in its escaped form
  // a very short one would blot out ordinary words, and protects nothing
  const hidden = secrets.filter((secret) => secret.length >= SECRET_LENGTH_MIN).map((secret) => JSON.stringify(secret).slice(1, -1))

  const say = (level: 'info' | 'warn' | 'error', msg: string, fields: LogFields = {}): void => {
    const open = Object.entries(fields).map(([key, value]) => [key, SECRET_FIELD.test(key) ? HIDDEN : value])
    let line = JSON.stringify({ time: new Date(wallMs()).toISOString(), level, msg, ...Object.fromEntries(open) })
    // user:password@ inside a URL
    line = line.replace(/(\/\/[^\s/@:"]*:)[^\s/@"]+@/g, `$1${HIDDEN}@`)
    for (const secret of hidden) line = line.replaceAll(secret, HIDDEN)
    ring.push(line)
    if (ring.length > LIMITS.agentLogRing.value) ring.shift()
    write(`${line}\n`)
  }
  return {
    info: (msg, fields) => say('info', msg, fields),
    warn: (msg, fields) => say('warn', msg, fields),
    error: (msg, fields) => say('error', msg, fields),
    lines: () => ring,
  }
}
