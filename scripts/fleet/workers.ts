/** The parent's side of the worker processes that hold the devices. */
import { AskedProcess } from './asked-process.ts'
import type { Answer, Ask, Counts, DeviceLook, NewDevice } from './messages.ts'

const NONE: Counts = { up: 0, converged: 0, beyond: 0, messages: { up: 0, down: 0 }, bytes: { up: 0, down: 0 } }

export class Worker {
  readonly #process = new AskedProcess<Ask, Answer>('fleet-worker')
  readonly names: string[] = []

  get pid(): number {
    return this.#process.pid
  }

  async ask(body: Ask): Promise<Answer> {
    const answer = await this.#process.ask(body)
    if (answer.kind === 'failed') throw new Error(`a fleet worker failed: ${answer.why}`)
    return answer
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
    return answer.kind === 'counts' ? answer.counts : NONE
  }

  end(): Promise<void> {
    return this.#process.end()
  }
}
