/**
 * The agent's bundle as a process of its own whose wall clock the test turns (libfaketime): a file says how far it is off the
 * real one, and monotonic time is left alone. A folder stands for the traces of time services.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AGENT_BUNDLE } from '../../scripts/build-agent.ts'
import { freePort } from '../../scripts/quickstart/free-port.ts'

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
const TRACE = 'run/systemd/timesync/synchronized'

export function whyNoFalseClock(): string | null {
  return existsSync(LIBRARY) ? null : `${LIBRARY} is not there (Debian: faketime)`
}

export interface PageState {
  readonly clock: { readonly says: string; readonly cause: { readonly code: string } | null }
  readonly workloads: readonly { readonly name: string; readonly word: string }[]
}

export class FalseClockAgent {
  readonly #dir: string
  readonly #socket: string
  readonly #device: string
  #child: ChildProcess | null = null
  #port = 0
  #offMs = 0
  log = ''

  constructor(dir: string, socket: string, device: string) {
    this.#dir = dir
    this.#socket = socket
    this.#device = device
    for (const folder of ['state', 'clock/run/systemd/timesync', 'clock/proc']) mkdirSync(path.join(dir, folder), { recursive: true })
    writeFileSync(
      path.join(dir, 'join.json'),
      JSON.stringify({ device, tenant: 'default', broker: 'mqtt://127.0.0.1:1', trustedKeys: [{ kid: 'k', publicPem: 'unused' }] }),
    )
    this.off(0)
  }

  get stateDir(): string {
    return path.join(this.#dir, 'state')
  }

  wallMs(): number {
    return Date.now() + this.#offMs
  }

  /** The wall clock is that far from the real one from now on. */
  off(ms: number): void {
    // whole seconds are what libfaketime reads
    this.#offMs = Math.round(ms / 1000) * 1000
    const seconds = this.#offMs / 1000
    // whole at each moment: what is empty counts as no offset
    const file = path.join(this.#dir, 'offset')
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    renameSync(`${file}.new`, file)
  }

  /** The wall clock says `wallMs` from now on. */
  set(wallMs: number): void {
    this.off(wallMs - Date.now())
  }

  /** A time service confirms the clock as it is now. */
  confirm(): void {
    const file = path.join(this.#dir, 'clock', TRACE)
    writeFileSync(file, '')
    utimesSync(file, this.wallMs() / 1000, this.wallMs() / 1000)
  }

  /** The host was started just now: no trace of a time service is there yet. */
  boot(): void {
    rmSync(path.join(this.#dir, 'clock', TRACE), { force: true })
    this.#bootedAtMs = Date.now()
  }
  #bootedAtMs = Date.now() - 60_000

  async start(): Promise<void> {
    this.#port = await freePort()
    writeFileSync(path.join(this.#dir, 'clock/proc/uptime'), `${(Date.now() - this.#bootedAtMs) / 1000 + 3600} 0\n`)
    const args = ['run', '--state', this.stateDir, '--join', path.join(this.#dir, 'join.json'), '--docker', this.#socket, '--no-cloud']
    const child = spawn(process.execPath, [AGENT_BUNDLE, ...args, '--page', `127.0.0.1:${this.#port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TZ: 'Europe/Berlin',
        SKERRY_CLOCK_ROOT: path.join(this.#dir, 'clock'),
        LD_PRELOAD: LIBRARY,
        FAKETIME_TIMESTAMP_FILE: path.join(this.#dir, 'offset'),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (this.log += bytes.toString()))
    this.#child = child
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  isUp(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** processor time that the agent has used, in ms */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10
  }

  /** what the field page shows; rejects when it does not answer within ten seconds */
  async page(): Promise<PageState> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/api/v1/state`, { signal: AbortSignal.timeout(10_000) })
    if (!answer.ok) throw new Error(`the page of ${this.#device} says ${answer.status}`)
    return (await answer.json()) as PageState
  }
}
