/** The agent's own release: what the cloud asks for is fetched, checked, put into a slot, and started by the launcher. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { LIMITS } from '../protocol/limits.ts'
import type { RunConfig } from './config.ts'
import { firstSlots } from './core/agent-slots.ts'
import type { Slots } from './core/agent-slots.ts'
import { keepOwnUse } from './keep-own-use.ts'
import type { Log } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import { repeat } from './runtime/timers.ts'
import { download } from './self-update/download.ts'
import { createSelfUpdate } from './self-update/self-update.ts'
import { agentsDir, readSlots, SLOTS_FILE } from './self-update/slots-file.ts'
import { nodeDisk } from './store/disk.ts'

const ASK_MS = 20_000

/** Release and memory of this agent; `end` ends this process in good order. The result ends the watch. */
export function keepSelf(config: RunConfig, loop: Pick<Loop, 'state' | 'dispatch'>, log: Log, end: (why: string) => void): () => void {
  const stops = [keepAgent(config, loop, log, () => end('another agent')), keepOwnUse(loop, log, () => end('too much memory'))]
  return () => {
    for (const stop of stops) stop()
  }
}

function keepAgent({ stateDir, join, slot, settleMs }: RunConfig, loop: Pick<Loop, 'state' | 'dispatch'>, log: Log, restart: () => void): () => void {
  const { cloud, username = join.device, password = '' } = join
  const selfUpdate = createSelfUpdate({
    disk: nodeDisk,
    stateDir,
    clock: systemClock,
    log,
    slot,
    settleMs,
    slots: slotsNow(stateDir),
    ask: (file) =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, [file, 'version'], { timeout: ASK_MS, maxBuffer: 4096 }, (error, stdout) => {
          if (error === null) resolve(stdout)
          else reject(new Error('it does not say its version'))
        })
      }),
    fetch: (wanted) => {
      if (cloud === undefined) return Promise.reject(new Error('the join file does not name the cloud; make a new one with skerry join'))
      return download({ url: cloud.url, ...(cloud.ca === undefined ? {} : { ca: cloud.ca }), username, password }, wanted)
    },
    tell: (why) => loop.dispatch({ kind: 'agent-release', cause: why }),
    restart,
  })
  return repeat(systemClock, systemRandom, Math.min(LIMITS.agentLookMs.value, settleMs), () => void selfUpdate.look(loop.state()))
}

/** As the launcher left them. */
function slotsNow(stateDir: string): Slots {
  try {
    const text = readFileSync(path.join(agentsDir(stateDir), SLOTS_FILE), 'utf8')
    // what the packaged agent is was compared by the launcher already
    return readSlots(text, (JSON.parse(text) as { readonly base?: string }).base ?? '')
  } catch {
    return firstSlots('')
  }
}
