/**
 * The processes that quickstart starts, ended in reverse order.
 *
 * INVARIANTS
 * - Every child has its own process group, so Ctrl-C reaches only us and we end them in order.
 * - `stopAll` is safe to call twice and waits until each child is gone; after 10 s it kills.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'

export interface Started {
  readonly name: string
  readonly child: ChildProcess
  readonly logFile: string
}

export class Processes {
  readonly #started: Started[] = []
  #stopping: Promise<void> | null = null

  start(name: string, argv: readonly string[], logFile: string, env: NodeJS.ProcessEnv = process.env): Started {
    const log = openSync(logFile, 'a')
    const [command = '', ...args] = argv
    const child = spawn(command, args, { stdio: ['ignore', log, log], detached: true, env })
    child.on('error', () => undefined)
    return this.adopt({ name, child, logFile })
  }

  adopt(started: Started): Started {
    this.#started.push(started)
    return started
  }

  /** The first child that has ended, or null. */
  dead(): Started | null {
    return this.#started.find(({ child }) => child.exitCode !== null || child.signalCode !== null) ?? null
  }

  async stopNamed(name: string): Promise<void> {
    for (const started of this.#started) if (started.name === name) await end(started.child)
  }

  stopAll(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const { child } of this.#started.toReversed()) await end(child)
    })()
    return this.#stopping
  }
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
