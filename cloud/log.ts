/** JSON lines on stdout, names as pino's: level, time, msg. Callers never pass secrets; keys that look like one are masked all the same. */
import type { Log, LogFields } from './ports.ts'

const SECRET = /token|password|secret|authorization|privatepem/i
const LEVELS = { info: 30, warn: 40, error: 50 } as const

export function createLog(write: (line: string) => void): Log {
  const at =
    (level: keyof typeof LEVELS) =>
    (msg: string, fields: LogFields = {}): void => {
      const safe = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, SECRET.test(key) ? '[masked]' : value]))
      write(`${JSON.stringify({ level: LEVELS[level], time: new Date().toISOString(), msg, ...safe })}\n`)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
