/**
 * JSON lines on stdout, as the agent's: time, level (info, warn, error), msg, then the fields of the line. Callers never pass secrets;
 * keys that look like one are masked all the same.
 */
import type { Log, LogFields } from './ports.ts'

const SECRET = /token|password|secret|authorization|privatepem/i
type Level = 'info' | 'warn' | 'error'

export function createLog(write: (line: string) => void): Log {
  const at =
    (level: Level) =>
    (msg: string, fields: LogFields = {}): void => {
      const safe = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, SECRET.test(key) ? '[masked]' : value]))
      write(`${JSON.stringify({ time: new Date().toISOString(), level, msg, ...safe })}\n`)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
