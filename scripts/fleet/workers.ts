/** The parent's side of the worker processes that hold the devices. */
import { AskedProcess } from './asked-process.ts'
import type { Answer, Ask, DeviceLook, NewDevice, Progress, Traffic } from './messages.ts'

const NONE = { up: 0, converged: 0, beyond: 0 }
const NOTHING = { messages: { up: 0, down: 0 }, bytes: { up: 0, down: 0 } }

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

  async progress(): Promise<Progress> {
    const answer = await this.ask({ kind: 'progress' })
    return answer.kind === 'progress' ? answer.progress : NONE
  }

  async traffic(): Promise<Traffic> {
    const answer = await this.ask({ kind: 'traffic' })
    return answer.kind === 'traffic' ? answer.traffic : NOTHING
  }

  end(): Promise<void> {
    return this.#process.end()
  }
}
