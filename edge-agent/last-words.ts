/**
 * What the agent leaves behind for the rescue page: that it began, and why it ended. INVARIANTS: written only at the start and
 * at the end, so it wears nothing; a file that still says `runs` while no agent runs means killed, or a power cut.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { clip, LIMITS } from '../protocol/limits.ts'
import { int, list, obj, oneOf, parse, required, str } from '../protocol/shape.ts'
import type { Infer } from '../protocol/shape.ts'

const LAST_WORDS = obj({
  state: required(oneOf('runs', 'stopped', 'failed')),
  at: required(str({ max: 40 })),
  device: required(str({ max: 64 })),
  version: required(str({ max: 64 })),
  pid: required(int()),
  why: required(str({ max: 4096 })),
  /** what ran when it ended, as text */
  picture: str({ max: 262_144 }),
  lines: list(str({ max: 8192 }), { max: LIMITS.agentLogRing.value }),
})
export type LastWords = Infer<typeof LAST_WORDS>

const FILE = 'last-words.json'

type Said = Pick<LastWords, 'state' | 'why' | 'device' | 'version'>

/** Best effort: an agent that cannot write them ends all the same. */
export function leaveWords(stateDir: string, said: Said, lines: readonly string[], picture: string, wallMs: number): void {
  const words: LastWords = {
    ...said,
    at: new Date(wallMs).toISOString(),
    pid: process.pid,
    why: clip(said.why, 4_096),
    picture: clip(picture, 262_144),
    lines: lines.map((line) => clip(line, 8_192)),
  }
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    const temp = join(stateDir, `${FILE}.${words.pid}`)
    writeFileSync(temp, JSON.stringify(words), { mode: 0o600 })
    renameSync(temp, join(stateDir, FILE))
  } catch {
    // a full or read-only disk: the journal has them
  }
}

/** null when there are none that can be read */
export function readLastWords(stateDir: string): LastWords | null {
  try {
    const parsed = parse(LAST_WORDS, JSON.parse(readFileSync(join(stateDir, FILE), 'utf8')))
    return parsed.ok ? parsed.value : null
  } catch {
    return null
  }
}
