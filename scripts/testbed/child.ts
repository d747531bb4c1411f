/** One long-lived program with a log file that can be stopped, killed and started again. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

export class Child {
  readonly name: string
  readonly logFile: string
  readonly #argv: readonly string[]
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | null = null
  #starts = 0

  constructor(name: string, argv: readonly string[], logFile: string, env: NodeJS.ProcessEnv = process.env) {
    this.name = name
    this.logFile = logFile
    this.#argv = argv
    this.#env = env
  }

  get pid(): number | null {
    return this.running ? (this.#child?.pid ?? null) : null
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get starts(): number {
    return this.#starts
  }

  /** @param more environment of this start only */
  start(more: Readonly<Record<string, string>> = {}): void {
    if (this.running) return
    const [command = '', ...args] = this.#argv
    const log = openSync(this.logFile, 'a')
    this.#child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...this.#env, ...more } })
    closeSync(log)
    this.#child.on('error', () => undefined)
    this.#starts += 1
  }

  /** SIGTERM unless another signal is named; resolves when the process is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === null || !this.running) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      child.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      child.kill(signal)
    })
  }

  /** For a signal that does not end it. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  tail(lines = 20): string {
    try {
      return readFileSync(this.logFile, 'utf8').split('\n').slice(-lines).join('\n')
    } catch {
      return ''
    }
  }
}
