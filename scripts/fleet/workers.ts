/** The parent's side of the worker processes that hold the devices. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import { build } from 'esbuild'
import { ROOT } from '../build-agent.ts'
import { pinnedNode } from '../testbed/pinned-node.ts'
import type { Answer, Ask, Counts, DeviceLook, Envelope, NewDevice } from './messages.ts'

const BUNDLE = path.join(ROOT, 'dist', 'fleet-worker.mjs')

/** One file, so that a worker starts without a compiler in its memory. */
export async function buildWorker(): Promise<void> {
  await build({
    entryPoints: [path.join(ROOT, 'scripts/fleet-worker.ts')],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })
}

export class Worker {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>()
  readonly names: string[] = []
  #asked = 0

  constructor() {
    this.#child = fork(BUNDLE, [], {
      execPath: pinnedNode(),
      execArgv: ['--max-old-space-size=4096'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', ({ id, body }: Envelope<Answer>) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (body.kind === 'failed') waiting?.reject(new Error(`a fleet worker failed: ${body.why}`))
      else waiting?.resolve(body)
    })
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a fleet worker ended with code ${code}`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  ask(body: Ask): Promise<Answer> {
    this.#asked += 1
    const id = this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, body } satisfies Envelope<Ask>)
    })
  }

  async add(devices: readonly NewDevice[]): Promise<void> {
    this.names.push(...devices.map(({ name }) => name))
    await this.ask({ kind: 'add', devices })
  }

  async look(): Promise<readonly DeviceLook[]> {
    const answer = await this.ask({ kind: 'look' })
    return answer.kind === 'looks' ? answer.looks : []
  }

  async count(): Promise<Counts> {
    const answer = await this.ask({ kind: 'count' })
    return answer.kind === 'counts' ? answer.counts : { up: 0, done: {}, messages: { up: 0, down: 0 }, bytes: { up: 0, down: 0 } }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || !this.#child.connected) return
    const gone = new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve())
    })
    // its answer never comes
    this.ask({ kind: 'end' }).catch(() => undefined)
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await gone
    clearTimeout(late)
  }
}
