/** The launcher as a process, under a supervisor that starts it again as systemd does: bad agents of every kind, and kill -9 at each step. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildLauncher } from '../../scripts/build-agent.ts'
import { firstSlots, installed, proven } from '../../edge-agent/core/agent-slots.ts'
import type { Slots } from '../../edge-agent/core/agent-slots.ts'
import { agentsDir, fileOfSlot, readSlots, SLOTS_FILE, textOfSlots } from '../../edge-agent/self-update/slots-file.ts'

const PROVE_MS = 3_000
/** An agent in few lines: says that it runs, and is good when it was for a while. */
const good = (name: string): string => `
  const fs = require('node:fs'), file = process.env.SLOTS
  fs.appendFileSync(process.env.RAN, ${JSON.stringify(`${name}\n`)})
  setInterval(() => {}, 1000)
  setTimeout(() => {
    fs.writeFileSync(file + '.new', JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), trial: undefined }))
    fs.renameSync(file + '.new', file)
  }, 300)`
const tells = (name: string, then: string): string => `require('node:fs').appendFileSync(process.env.RAN, ${JSON.stringify(`${name}\n`)});${then}`
const BAD: readonly (readonly [string, string])[] = [
  ['ends at once', tells('new', 'process.exit(1)')],
  ['throws', tells('new', 'throw new Error("no")')],
  ['hangs in a loop', tells('new', 'for (;;) {}')],
  ['is idle and never says that it is well', tells('new', 'setInterval(() => {}, 1000)')],
  ['dies after a while', tells('new', 'setTimeout(() => process.exit(3), 700)')],
  ['is no program', 'this is not JavaScript'],
]

describe('agents in slots', () => {
  let dir: string
  let launcher: string
  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-launch-'))
    launcher = path.join(dir, 'skerry-launch.cjs')
    await buildLauncher(launcher)
    return () => rmSync(dir, { recursive: true })
  })
  let state: string
  const supervisor = { stopped: false }
  let running: Promise<void> | null = null
  beforeEach(() => {
    state = mkdtempSync(path.join(dir, 'state-'))
    mkdirSync(agentsDir(state), { recursive: true })
    writeFileSync(path.join(dir, 'skerry-agent.cjs'), good('base'))
    writeFileSync(path.join(state, 'ran'), '')
    supervisor.stopped = false
  })
  afterEach(async () => {
    supervisor.stopped = true
    await running
  })

  const slotsFile = (): string => path.join(agentsDir(state), SLOTS_FILE)
  const slots = (): Slots => {
    const text = readFileSync(slotsFile(), 'utf8')
    return readSlots(text, (JSON.parse(text) as { readonly base: string }).base)
  }
  const ran = (): readonly string[] => readFileSync(path.join(state, 'ran'), 'utf8').trim().split('\n')
  const put = (slot: 'a' | 'b', code: string, version: string) => {
    writeFileSync(fileOfSlot(state, slot), code)
    return { version, sha256: createHash('sha256').update(code).digest('hex') }
  }

  async function once1(): Promise<void> {
    const child = spawn(process.execPath, [launcher, 'run', '--state', state], {
      stdio: 'ignore',
      env: { ...process.env, SKERRY_PROVE_MS: String(PROVE_MS), SLOTS: slotsFile(), RAN: path.join(state, 'ran') },
    })
    const ended = once(child, 'exit')
    while (!supervisor.stopped && child.exitCode === null && child.signalCode === null) await Promise.race([ended, sleep(50)])
    child.kill('SIGKILL')
    await ended
  }

  /** starts it again and again, as the service manager does */
  function supervise(): void {
    running = (async () => {
      while (!supervisor.stopped) await once1()
    })()
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await sleep(50)
  }

  /** the packaged agent has run once, so that the launcher knows it; then `a` is the proven one */
  async function provenA(): Promise<Slots> {
    supervise()
    await until(() => ran().includes('base'))
    supervisor.stopped = true
    await running
    supervisor.stopped = false
    const base = `${readFileSync(path.join(dir, 'skerry-agent.cjs')).byteLength} `
    const known = firstSlots(base)
    return proven(installed(known, 'a', put('a', good('a'), '2')))
  }

  it.each(BAD)(
    'a new agent that %s is returned from after three starts',
    async (_what, code) => {
      const before = await provenA()
      // what the packaged agent is, is only known to the launcher: it writes it at the first choice
      const { mtimeMs, size } = statSync(path.join(dir, 'skerry-agent.cjs'))
      const next = installed({ ...before, base: `${size} ${Math.round(mtimeMs)}` }, 'b', put('b', code, '3'))
      writeFileSync(slotsFile(), textOfSlots(next))
      writeFileSync(path.join(state, 'ran'), '')
      supervise()
      await until(() => ran().includes('a'))
      expect(slots()).toMatchObject({ current: 'a', trial: null, failed: [{ version: '3' }] })
      if (code.includes('new')) expect(ran()).toEqual(['new', 'new', 'new', 'a'])
      // it stays there
      await sleep(PROVE_MS + 500)
      expect(ran().filter((one) => one === 'a')).toHaveLength(1)
    },
    60_000,
  )

  it('kill -9 after each step of an installation leaves an agent that starts', async () => {
    const { mtimeMs, size } = statSync(path.join(dir, 'skerry-agent.cjs'))
    const fresh = path.join(dir, 'fresh.cjs')
    writeFileSync(fresh, good('fresh'))
    const outcomes: string[] = []
    for (let steps = 1; ; steps += 1) {
      writeFileSync(slotsFile(), textOfSlots(proven(installed(firstSlots(`${size} ${Math.round(mtimeMs)}`), 'a', put('a', good('a'), '2')))))
      const child = spawn(process.execPath, [
        '--import',
        'tsx',
        path.join(import.meta.dirname, 'self-update-child.ts'),
        state,
        String(steps),
        fresh,
        '3',
      ])
      let said = ''
      child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
      await once(child, 'exit')
      writeFileSync(path.join(state, 'ran'), '')
      supervise()
      await until(() => ran()[0] !== '')
      outcomes.push(ran()[0] ?? '')
      supervisor.stopped = true
      await running
      supervisor.stopped = false
      if (said.includes('installed')) break
    }
    expect(outcomes.slice(0, -1)).toContain('a')
    expect(outcomes.every((one) => one === 'a' || one === 'fresh')).toBe(true)
    expect(outcomes.at(-1)).toBe('fresh')
  })
})
