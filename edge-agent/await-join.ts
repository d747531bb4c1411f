/**
 * A service that was installed before it was told where it belongs: the same image for all gateways, the join file later. It says so on
 * the page and ends when the file has come: whoever supervises it starts it again, as what it is then. Nothing that runs is touched.
 */
import { LIMITS } from '../protocol/limits.ts'
import { readCommand } from './config.ts'
import type { Unjoined } from './config.ts'
import { createLog } from './log.ts'
import { startRescue } from './rescue.ts'
import { repeat } from './runtime/timers.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'

/** Resolves when it waits. */
export async function awaitJoin({ why, stateDir, joinFile, page, fd }: Unjoined): Promise<void> {
  const nowMs = (): number => systemClock.now().wallMs
  const log = createLog({ write: (line) => void process.stdout.write(line), wallMs: nowMs, secrets: [] })
  log.warn('this device has not joined a cloud; waiting for its join file', { file: joinFile, why })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
  repeat(systemClock, systemRandom, LIMITS.joinLookMs.value, () => {
    if (readCommand().kind === 'unjoined') return
    log.info('the join file has come', { file: joinFile })
    process.exit(0)
  })
  if (page === null && fd === null) return
  const action = [
    'Where the cloud is administered, make the file:  skerry join DEVICE > join.json',
    `Put it on this device:  ${joinFile}`,
    `It holds a password: owner root, mode 0600. It is looked for about every ${LIMITS.joinLookMs.value / 1000} seconds; nothing has to be restarted.`,
  ].join('\n')
  const words = { title: 'not joined yet', why: `This device does not belong to a cloud yet: ${why}`, action }
  // it stays, also when nobody looks
  await startRescue({ stateDir, host: page?.host ?? '127.0.0.1', port: page?.port ?? 0, fd, nowMs, idleMs: Infinity, words })
}
