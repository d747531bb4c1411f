/** The field page, listening as soon as its address can be had: a device without a page still runs its workloads. */
import { LIMITS } from '../protocol/limits.ts'
import type { RunConfig } from './config.ts'
import { fieldPage } from './local-page/page-asset.ts'
import { startLocalPage } from './local-page/server.ts'
import type { LocalPage } from './local-page/server.ts'
import type { AgentLog } from './log.ts'
import type { Engine } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import { repeat } from './runtime/timers.ts'

/** Tried again while the address is taken or absent; the result closes it. */
export function keepPage({ page }: RunConfig, loop: Loop, engine: Engine, log: AgentLog): { close(): Promise<void> } {
  if (page === null) return { close: () => Promise.resolve() }
  let open: LocalPage | null = null
  let stop: (() => void) | null = null
  const start = async (): Promise<void> => {
    try {
      open = await startLocalPage({
        ...page,
        log,
        page: fieldPage(),
        state: loop.state,
        now: systemClock.now,
        agentLog: log.lines,
        logs: (target, lines) => engine.logs(target, lines),
      })
      stop?.()
      log.info('field page', { address: `http://${page.host}:${open.address.port}/` })
    } catch (error) {
      log.error('the field page cannot listen; it is tried again', {
        address: `${page.host}:${page.port}`,
        why: error instanceof Error ? error.message : String(error),
      })
      stop ??= repeat(systemClock, systemRandom, LIMITS.observeIdleMs.value, () => void start())
    }
  }
  void start()
  return {
    close: async () => {
      stop?.()
      await open?.close()
    },
  }
}
