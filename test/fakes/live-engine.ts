/** Live ways into containers in memory: `echo WORD`, `cat`, `exit CODE`, `yes` as programs, port 80 answers what it is sent. */
import { cause } from '../../protocol/causes.ts'
import type { LiveEngine, LiveOpened, LiveStream, LogsAsked } from '../../edge-agent/ports.ts'

export class FakeLiveEngine implements LiveEngine {
  /** streams that nobody has closed */
  open = 0
  asked: LogsAsked | null = null

  openExec(_target: string, { argv }: { readonly argv: readonly string[] }): Promise<LiveOpened> {
    const [program = '', word = ''] = argv
    if (program === 'echo') return this.#opened([`${word}\n`], 0)
    if (program === 'exit') return this.#opened([], Number(word))
    if (program === 'yes') return this.#opened(null, 0)
    return this.#opened('echo', 0)
  }

  openAttach(): Promise<LiveOpened> {
    return this.#opened('echo', null)
  }

  openLogs(_target: string, asked: LogsAsked): Promise<LiveOpened> {
    this.asked = asked
    return this.#opened(['one\n', 'two\n', 'three\n'], null)
  }

  openPort(_target: string, port: number): Promise<LiveOpened> {
    return port === 80 ? this.#opened('echo', null) : Promise.resolve({ ok: false, cause: cause('session.port.closed', { port, why: 'refused' }) })
  }

  /** @param says fixed lines, what it is sent, or lines without end */
  #opened(says: readonly string[] | 'echo' | null, code: number | null): Promise<LiveOpened> {
    this.open += 1
    const input: Uint8Array[] = []
    const state = { wake: (): void => undefined, ended: false, closed: false }
    const output = async function* (): AsyncGenerator<{ readonly stream: 1; readonly bytes: Uint8Array }> {
      if (says === null) {
        while (!state.closed) yield { stream: 1, bytes: Buffer.alloc(1_024, 'y') }
      } else if (says !== 'echo') {
        for (const line of says) yield { stream: 1, bytes: Buffer.from(line) }
      } else {
        for (;;) {
          const bytes = input.shift()
          if (bytes !== undefined) yield { stream: 1, bytes }
          else if (state.ended || state.closed) return
          else await new Promise<void>((resolve) => (state.wake = resolve))
        }
      }
    }
    const stream: LiveStream = {
      output: output(),
      write: async (bytes) => {
        input.push(bytes)
        state.wake()
      },
      endInput: () => {
        state.ended = true
        state.wake()
      },
      resize: async () => undefined,
      exitCode: async () => code,
      close: () => {
        if (!state.closed) this.open -= 1
        state.closed = true
        state.wake()
      },
    }
    return Promise.resolve({ ok: true, stream })
  }
}
