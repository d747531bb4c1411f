import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { HELP, parseCommand } from '../edge-agent/config.ts'
import { createLog } from '../edge-agent/log.ts'
import { takeLock } from '../edge-agent/process-lock.ts'
import { LIMITS } from '../protocol/limits.ts'

const dir = mkdtempSync(join(tmpdir(), 'skerry-config-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const JOIN = {
  device: 'gw-1',
  tenant: 'default',
  broker: 'mqtt://cloud:1883',
  username: 'gw-1',
  password: 'hunter2',
  trustedKeys: [{ kid: 'k', publicPem: 'PEM' }],
}
const joinFile = (content: unknown): string => {
  const path = join(dir, `join-${Math.random().toString(36).slice(2)}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const wrong = (argv: readonly string[], env: Record<string, string> = {}): string => {
  const command = parseCommand(argv, env)
  return command.kind === 'wrong' ? command.message : `not wrong: ${command.kind}`
}

describe('command line', () => {
  it('a service without a join file waits for it; whoever starts it by hand is told', () => {
    const argv = ['run', '--state', '/s', '--join', '/s/none.json', '--page', '127.0.0.1:1']
    const waits = { kind: 'unjoined', stateDir: '/s', joinFile: '/s/none.json', page: { host: '127.0.0.1', port: 1 }, fd: null }
    expect(parseCommand(argv, { SKERRY_SUPERVISED: '1' })).toMatchObject({ ...waits, why: expect.stringContaining('skerry join DEVICE') })
    expect(wrong(argv)).toContain('/s/none.json cannot be read')
    // what else is wrong does not come right by waiting
    expect(wrong([...argv, '--docker', 'tcp://x'], { SKERRY_SUPERVISED: '1' })).toContain('--docker')
  })

  it('reads flags, then the environment, then defaults', () => {
    const path = joinFile(JOIN)
    const flags = ['--state', '/s', '--join', path, '--docker', 'unix:///d.sock', '--page', '[::1]:80', '--no-cloud']
    expect(parseCommand(['run', ...flags], { SKERRY_STATE: '/e' })).toEqual({
      kind: 'run',
      config: {
        pageFd: null,
        proxies: [],
        remoteExec: true,
        hardwareRoot: '/',
        clockRoot: '/',
        slot: null,
        timeZone: null,
        supervised: false,
        settleMs: 45_000,
        stateDir: '/s',
        runtimeDir: null,
        join: JOIN,
        dockerSocket: '/d.sock',
        page: { host: '::1', port: 80 },
        cloud: false,
      },
    })
    expect(parseCommand(['run'], { SKERRY_STATE: '/e', SKERRY_JOIN: path, SKERRY_PAGE: 'off', SKERRY_NO_CLOUD: '1' })).toEqual({
      kind: 'run',
      config: {
        pageFd: null,
        proxies: [],
        remoteExec: true,
        hardwareRoot: '/',
        clockRoot: '/',
        slot: null,
        timeZone: null,
        supervised: false,
        settleMs: 45_000,
        stateDir: '/e',
        runtimeDir: null,
        join: JOIN,
        dockerSocket: '/var/run/docker.sock',
        page: null,
        cloud: false,
      },
    })
    const board = (root: string): unknown => parseCommand(['run', '--join', path, '--hardware-root', root], {})
    expect(board('/board')).toMatchObject({ config: { hardwareRoot: '/board' } })
    expect(board('')).toEqual({ kind: 'wrong', message: '--hardware-root is empty; give it a path' })
    expect(parseCommand(['inventory', '-o', 'json', '--root', '/x'], {})).toEqual({ kind: 'inventory', root: '/x', output: 'json' })
    expect(parseCommand(['version'], {}).kind).toBe('version')
    expect(parseCommand([], {}).kind).toBe('help')
    expect(HELP.split('\n').every((line) => line.length <= 160)).toBe(true)
  })

  it.each<[readonly string[], RegExp]>([
    [['fly'], /no command "fly"/],
    [['run', '--nope'], /--nope/],
    [['run', '--state'], /--state/],
    [['run', '--state', ''], /--state is empty/],
    [['inventory', '-o', 'xml'], /-o is "xml"; it is json or table/],
    [['run', '--join', '/nonexistent/join.json'], /--join \/nonexistent\/join.json cannot be read: ENOENT.*skerry join DEVICE/],
    [['run', 'extra', '--join', 'x'], /extra/],
  ])('%j', (argv, message) => {
    expect(wrong(argv)).toMatch(message)
  })

  it('names what is wrong in the join file and never shows its password', () => {
    for (const [content, message] of [
      ['{"password":"hunter2"', /it is not JSON/],
      [{ ...JOIN, broker: undefined }, /broker \(required\)/],
      [{ ...JOIN, device: 'GW 1' }, /device and tenant must be/],
      [{ ...JOIN, broker: 'http://x' }, /broker must be a URL/],
      [{ ...JOIN, password: { a: 'hunter2' } }, /password \(type\)/],
    ] as const) {
      const said = wrong(['run', '--join', joinFile(content)])
      expect(said).toMatch(message)
      expect(said).not.toContain('hunter2')
    }
  })

  it('refuses addresses and sockets that are none', () => {
    const path = joinFile(JOIN)
    expect(wrong(['run', '--join', path, '--page', 'here'])).toMatch(/--page is "here"/)
    expect(wrong(['run', '--join', path, '--page', 'a:99999'])).toMatch(/--page/)
    expect(wrong(['run', '--join', path, '--docker', 'tcp://1.2.3.4:2375'])).toMatch(/--docker/)
  })
})

describe('log', () => {
  it('writes JSON lines, keeps the last, and hides secrets in any form', () => {
    const lines: string[] = []
    const log = createLog({ write: (line) => void lines.push(line), wallMs: () => 0, secrets: ['pa"ss\\w', ''] })
    log.info('hello', { why: 'tried pa"ss\\w', apiToken: 'x', n: 1, url: 'mqtt://u:abc@h:1' })
    const fields = '"why":"tried [hidden]","apiToken":"[hidden]","n":1,"url":"mqtt://u:[hidden]@h:1"'
    expect(lines).toEqual([`{"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"hello",${fields}}\n`])
    for (let index = 0; index < 2 * LIMITS.agentLogRing.value; index += 1) log.warn(`w${index}`)
    expect(log.lines()).toHaveLength(LIMITS.agentLogRing.value)
    expect(log.lines().at(-1)).toContain(`w${2 * LIMITS.agentLogRing.value - 1}`)
  })
})

describe('process lock', () => {
  it('lets one live process in, and the next after it was killed', async () => {
    const state = join(dir, 'lock')
    const other = spawn('sleep', ['1000'])
    await once(other, 'spawn')
    const held = takeLock(state, other.pid)
    expect(held.ok).toBe(true)
    expect(takeLock(state)).toEqual({ ok: false, message: expect.stringContaining(`another agent (pid ${other.pid})`) as string })
    other.kill('SIGKILL')
    await once(other, 'exit')
    const mine = takeLock(state)
    expect(mine.ok).toBe(true)
    expect(readdirSync(state)).toEqual(['agent.lock'])
    if (mine.ok) mine.release()
    expect(readdirSync(state)).toEqual([])
  })

  it('is not fooled by a pid of another boot, or by rubbish', () => {
    const state = join(dir, 'lock2')
    takeLock(state)
    for (const content of [`00000000-0000-0000-0000-000000000000 ${process.pid} 1`, `x ${process.pid} 1`, '', '\0\0\0']) {
      writeFileSync(join(state, 'agent.lock'), content)
      expect(takeLock(state).ok).toBe(true)
    }
  })
})
