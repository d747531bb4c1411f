/** The agent looks after itself: its memory has an end, and what it writes is counted and shown. */
import { readFile } from 'node:fs/promises'
import { LIMITS } from '../protocol/limits.ts'
import { mustRestart } from './core/own-use.ts'
import type { OwnSample } from './core/own-use.ts'
import type { Log } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import { repeat } from './runtime/timers.ts'

/** `restart` ends this process in good order. The result ends the watch. */
export function keepOwnUse(loop: Pick<Loop, 'state' | 'dispatch'>, log: Log, restart: () => void): () => void {
  let ended = false
  const look = async (): Promise<void> => {
    loop.dispatch({ kind: 'own-use', sample: await sampleOwnUse() })
    const { own } = loop.state()
    if (own === null || ended || own.overLooks === 0) return
    const fields = { rssBytes: own.rssBytes, limit: LIMITS.ownRssBytes.value, looks: own.overLooks }
    if (own.overLooks === 1) log.warn('this agent takes more memory than it should', fields)
    if (!mustRestart(own)) return
    ended = true
    log.error('this agent starts anew to give memory back; workloads keep running', fields)
    restart()
  }
  void look()
  return repeat(systemClock, systemRandom, LIMITS.ownLookMs.value, () => void look())
}

export async function sampleOwnUse(): Promise<OwnSample> {
  const io = await readFile('/proc/self/io', 'utf8').catch(() => '')
  const written = /^write_bytes: (\d+)$/m.exec(io)?.[1]
  return { rssBytes: process.memoryUsage.rss(), writtenBytes: written === undefined ? null : Number(written) }
}
