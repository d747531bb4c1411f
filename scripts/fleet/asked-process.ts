/** A process of ours that is asked over the pipe of `fork` and answers each question once. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import { build } from 'esbuild'
import { ROOT } from '../build-agent.ts'
import { pinnedNode } from '../testbed/pinned-node.ts'
import type { Envelope } from './messages.ts'

/** One file, so that it starts without a compiler in its memory. @param name of `scripts/<name>.ts` */
export async function buildAsked(name: string): Promise<void> {
  await build({
    entryPoints: [path.join(ROOT, 'scripts', `${name}.ts`)],
    outfile: path.join(ROOT, 'dist', `${name}.mjs`),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })
}

/** `SKERRY_PROFILE` = a folder: each leaves its CPU profile there, as the cloud does */
const PROFILE = process.env['SKERRY_PROFILE']

export class AskedProcess<Question, Reply> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(answer: Reply): void; reject(error: Error): void }>()
  #asked = 0

  constructor(name: string) {
    this.#child = fork(path.join(ROOT, 'dist', `${name}.mjs`), [], {
      execPath: pinnedNode(),
      execArgv: [
        '--max-old-space-size=4096',
        '--disable-warning=ExperimentalWarning',
        ...(PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`]),
      ],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', ({ id, body }: Envelope<Reply>) => {
      this.#waiting.get(id)?.resolve(body)
      this.#waiting.delete(id)
    })
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${name} ended with code ${code}`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Rejects when the process ends before it has answered. */
  ask(body: Question): Promise<Reply> {
    this.#asked += 1
    const id = this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, body } satisfies Envelope<Question>)
    })
  }

  /** It ends when its pipe does. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || !this.#child.connected) return
    const gone = new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve())
    })
    this.#child.disconnect()
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await gone
    clearTimeout(late)
  }
}
