/**
 * A program in a running container, to its end. INVARIANTS: ends by the timeout plus one engine call; output beyond the limits
 * table is dropped; what still runs at the timeout is killed, since the engine has no call for it and it would eat the PID limit.
 */
import { readFile } from 'node:fs/promises'
import { cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock, ExecOutcome } from '../ports.ts'
import { engineCause, readFailure } from './docker-failures.ts'
import type { Caller } from './engine-call.ts'
import { readLogFrames } from './log-frames.ts'

interface Asked {
  readonly Cmd: string[]
  readonly AttachStdout: true
  readonly AttachStderr: true
  readonly abortSignal: AbortSignal
}
interface ExecHandle {
  start(options: {
    readonly Detach: false
    readonly Tty: false
    readonly abortSignal: AbortSignal
  }): Promise<NodeJS.ReadWriteStream & { destroy(): void }>
  inspect(options: {
    readonly abortSignal: AbortSignal
  }): Promise<{ readonly Running: boolean; readonly Pid: number; readonly ExitCode: number | null; readonly ContainerID: string }>
}
interface Parts {
  readonly makeExec: (target: string, asked: Asked) => Promise<ExecHandle>
  readonly caller: Caller
  readonly callMs: number
  readonly clock: Clock
}

export function execRunner({ makeExec, caller: { call, context }, callMs, clock }: Parts) {
  const run = async (target: string, argv: readonly string[], timeoutMs: number): Promise<ExecOutcome> => {
    const made = await call((abortSignal) => makeExec(target, { Cmd: [...argv], AttachStdout: true, AttachStderr: true, abortSignal }))
    const stream = await call((abortSignal) => made.start({ Detach: false, Tty: false, abortSignal }))
    const chunks: Buffer[] = []
    let bytes = 0
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (bytes <= LIMITS.execOutputBytes.value) chunks.push(chunk)
    })
    const timedOut = await endOf(stream, timeoutMs, clock)
    const seen = await call((abortSignal) => made.inspect({ abortSignal }))
    if (timedOut && seen.Running) await endProgram(seen.Pid, seen.ContainerID)
    stream.destroy()
    return { ok: true, exitCode: seen.ExitCode ?? 0, output: readLogFrames(Buffer.concat(chunks)), timedOut: timedOut && seen.Running }
  }
  return async (target: string, argv: readonly string[], timeoutMs: number): Promise<ExecOutcome> => {
    try {
      return await run(target, argv, timeoutMs)
    } catch (error) {
      const failure = readFailure(error)
      return { ok: false, cause: engineCause(failure, 'exec', context(callMs)) ?? cause('container.exec.failed', { why: failure.text }) }
    }
  }
}

/** true = not within that time */
function endOf(stream: NodeJS.ReadWriteStream, timeoutMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now().monoMs + timeoutMs, () => resolve(true))
    const end = (): void => {
      cancel()
      resolve(false)
    }
    for (const event of ['end', 'close', 'error'] as const) stream.once(event, end)
  })
}

/** Only when the process of that number is in the container's own cgroup: in a container, the agent sees other processes by these numbers. */
async function endProgram(pid: number, containerId: string): Promise<void> {
  if (pid <= 1 || containerId.length < 64) return
  try {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8')
    if (groups.includes(containerId)) process.kill(pid, 'SIGKILL')
  } catch {
    // it ended meanwhile, or this agent may not: the PID limit of the container holds it
  }
}
