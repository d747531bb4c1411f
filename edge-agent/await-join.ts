/**
 * A service that was installed before it was told where it belongs: the same image for all gateways, the join file later, or the key of the
 * fleet, with which it fetches its own. It says so on the page and ends when the file has come: whoever supervises it starts it again, as
 * what it is then. Nothing that runs is touched.
 */
import { LIMITS } from '../protocol/limits.ts'
import { readCommand } from './config.ts'
import type { Unjoined } from './config.ts'
import { enroll } from './enroll.ts'
import { readEnrollFile } from './join-file.ts'
import { createLog } from './log.ts'
import type { AgentLog } from './log.ts'
import { startRescue } from './rescue.ts'
import type { RescueWords } from './rescue.ts'
import { repeat } from './runtime/timers.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'

/** Resolves when it waits. */
export async function awaitJoin(unjoined: Unjoined): Promise<void> {
  const { why, stateDir, joinFile, page, fd } = unjoined
  const nowMs = (): number => systemClock.now().wallMs
  const log = createLog({ write: (line) => void process.stdout.write(line), wallMs: nowMs, secrets: [] })
  log.warn('this device has not joined a cloud; waiting for its join file', { file: joinFile, why })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
  const knock = knocking(unjoined, log)
  repeat(systemClock, systemRandom, LIMITS.joinLookMs.value, () => {
    if (readCommand().kind === 'unjoined') return knock.look()
    log.info('the join file has come', { file: joinFile })
    process.exit(0)
  })
  if (page === null && fd === null) return
  // it stays, also when nobody looks
  const address = { host: page?.host ?? '127.0.0.1', port: page?.port ?? 0, fd }
  await startRescue({ stateDir, ...address, nowMs, idleMs: Infinity, words: () => knock.words() ?? waits(unjoined) })
}

function waits({ why, joinFile }: Unjoined): RescueWords {
  const action = [
    'Where the cloud is administered, make the file:  skerry join DEVICE > join.json',
    `Put it on this device:  ${joinFile}`,
    `It holds a password: owner root, mode 0600. It is looked for about every ${LIMITS.joinLookMs.value / 1000} seconds; nothing has to be restarted.`,
    'One file for many devices:  skerry enroll',
  ].join('\n')
  return { title: 'not joined yet', why: `This device does not belong to a cloud yet: ${why}`, action }
}

/** Asks with the key of the fleet, where there is one: soon at first, then ever more seldom, each device at another moment. */
function knocking({ stateDir, joinFile, hardwareRoot }: Unjoined, log: AgentLog): { look(): void; words(): RescueWords | null } {
  let asks = false
  let failures = 0
  let notBeforeMonoMs = 0
  let said = ''
  let where = ''
  const failed = (error: unknown): void => {
    failures += 1
    said = error instanceof Error ? error.message : String(error)
    const most = Math.min(LIMITS.enrollRetryMs.value, LIMITS.joinLookMs.value * 2 ** failures)
    notBeforeMonoMs = systemClock.now().monoMs + most * systemRandom.next()
    log.warn('this device was not let in', { why: said, failures })
  }
  return {
    look() {
      const file = readEnrollFile(joinFile)
      where = file?.enroll.url ?? ''
      if (file === null || asks || systemClock.now().monoMs < notBeforeMonoMs) return
      asks = true
      enroll(file, { stateDir, joinFile, hardwareRoot })
        .then((device) => log.info('this device was let in', { device, cloud: file.enroll.url }), failed)
        .finally(() => {
          asks = false
        })
    },
    words() {
      if (where === '') return null
      const why = said === '' ? `It asks ${where} for its own join file.` : `${where} was asked for its own join file: ${said}`
      return { title: 'not joined yet', why, action: 'It asks again by itself, at least every five minutes; nothing has to be restarted.' }
    },
  }
}
