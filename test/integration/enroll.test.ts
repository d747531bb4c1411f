/** Boards that were flashed with one file: each comes to its own name, password and labels, is counted, and is told what to do when it is not let in. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AGENT_BUNDLE } from '../../scripts/build-agent.ts'
import { freePort } from '../../scripts/quickstart/free-port.ts'
import { createCloud } from '../../scripts/testbed/cloud-process.ts'
import type { CloudProcess } from '../../scripts/testbed/cloud-process.ts'
import { pinnedNode } from '../../scripts/testbed/pinned-node.ts'
import { eventually } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoKubectl()
if (why !== null) console.warn(`enrolment: not run: ${why}`)

/** One board under a supervisor that starts its agent again, as systemd does. */
class Board {
  readonly dir: string
  readonly page: number
  #stopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(dir: string, serial: string, page: number, file: string) {
    this.dir = path.join(dir, serial)
    this.page = page
    mkdirSync(path.join(this.dir, 'root/proc/device-tree'), { recursive: true })
    writeFileSync(path.join(this.dir, 'root/proc/device-tree/serial-number'), `${serial}\0`)
    this.flash(file)
  }

  get joinFile(): string {
    return path.join(this.dir, 'state/join.json')
  }

  /** the image of all boards, over whatever was there */
  flash(file: string): void {
    rmSync(path.join(this.dir, 'state'), { recursive: true, force: true })
    mkdirSync(path.join(this.dir, 'state'), { mode: 0o700 })
    writeFileSync(this.joinFile, file, { mode: 0o600 })
  }

  start(): void {
    this.#stopped = false
    this.#running = (async () => {
      while (!this.#stopped) await this.#oneLife()
    })()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async says(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.page}/`)).text()
  }

  async #oneLife(): Promise<void> {
    const flags = ['--state', path.join(this.dir, 'state'), '--docker', path.join(this.dir, 'none.sock'), '--page', `127.0.0.1:${this.page}`]
    const child = spawn(pinnedNode(), [AGENT_BUNDLE, 'run', ...flags, '--hardware-root', path.join(this.dir, 'root')], {
      stdio: 'ignore',
      env: { ...process.env, SKERRY_SUPERVISED: '1' },
    })
    const ended = once(child, 'exit')
    while (!this.#stopped && child.exitCode === null && child.signalCode === null) await Promise.race([ended, sleep(100)])
    child.kill('SIGTERM')
    await ended
  }
}

describe.skipIf(why !== null)('a fleet that was flashed with one file', () => {
  let dir: string
  let cloud: CloudProcess
  let file: string
  const boards: Board[] = []
  const board = async (serial: string): Promise<Board> => {
    const made = new Board(dir, serial, await freePort(0), file)
    boards.push(made)
    made.start()
    return made
  }
  const joins = (device: string): Promise<void> =>
    eventually(`${device} is heard`, async () => {
      const said = await cloud.kubectl('get', 'nodes', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.status.nodeInfo.kubeletVersion} {end}')
      return new RegExp(`${device}=v?\\d`).test(said) ? null : said
    })
  const tells = (one: Board, words: RegExp): Promise<void> =>
    eventually(`its page says ${String(words)}`, async () => {
      const page = await one.says()
      return words.test(page) ? null : page.replaceAll(/<[^>]+>/g, ' ')
    })

  beforeAll(async () => {
    await buildOnce()
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-enroll-'))
    cloud = await createCloud(dir, null, ['127.0.0.1'])
    cloud.child.start()
    await cloud.ready()
    const said = await cloud.skerry('enroll', '--max', '2', '--prefix', 'line', '-l', 'site=kassel')
    expect(said).toMatch(/Good for 2 devices until \d{4}-/)
    // that is said beside the file
    file = said.slice(0, said.lastIndexOf('}') + 1)
  })
  afterAll(async () => {
    await Promise.all(boards.map((one) => one.stop()))
    await cloud?.child.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it('has names, labels and passwords of its own on each board', async () => {
    const [one, two] = await Promise.all([board('10000000a1'), board('10000000b2')])
    await Promise.all([joins('line-10000000a1'), joins('line-10000000b2')])
    const [first, second] = [one, two].map(({ joinFile }) => {
      expect(statSync(joinFile).mode & 0o777).toBe(0o600)
      return JSON.parse(readFileSync(joinFile, 'utf8')) as { readonly device: string; readonly password: string }
    })
    expect([first?.device, second?.device]).toEqual(['line-10000000a1', 'line-10000000b2'])
    expect(first?.password).not.toBe(second?.password)
    expect((await cloud.kubectl('get', 'nodes', '-l', 'site=kassel', '-o', 'name')).trim().split('\n')).toHaveLength(2)
    // what let it in is no longer on the device
    expect(readFileSync(one?.joinFile ?? '', 'utf8')).not.toContain(
      (JSON.parse(file) as { readonly enroll: { readonly token: string } }).enroll.token,
    )
  })

  it('says on its page why a board is not let in, and lets it in when it may: one too many, and one that was flashed anew', async () => {
    const [one] = boards
    if (one === undefined) throw new Error('no board')
    await one.stop()
    const joined = readFileSync(one.joinFile, 'utf8')
    one.flash(file)
    one.start()
    const three = await board('10000000c3')
    await tells(three, /has let in 2 devices, and is good for 2/)
    await tells(one, /There is a device line-10000000a1 already[\s\S]*kubectl annotate node line-10000000a1 skerry.dev\/enroll-again=true/)
    expect(await cloud.kubectl('get', 'nodes', '-o', 'name')).not.toContain('c3')
    const [secret = ''] = (await cloud.kubectl('get', 'secrets', '-n', 'kube-system', '-o', 'name')).trim().split('\n')
    await cloud.kubectl('annotate', '--overwrite', '-n', 'kube-system', secret, 'skerry.dev/enroll-max=4')
    await cloud.kubectl('annotate', 'node', 'line-10000000a1', 'skerry.dev/enroll-again=true')
    await joins('line-10000000c3')
    await eventually('the other has its name and password again', async () => (readFileSync(one.joinFile, 'utf8') === joined ? null : 'not yet'))
    expect(await cloud.kubectl('get', 'node', 'line-10000000a1', '-o', 'jsonpath={.metadata.annotations}')).not.toContain('enroll-again')
    await cloud.kubectl('delete', '-n', 'kube-system', secret)
    await tells(await board('10000000d4'), /is not known here/)
  })
})
