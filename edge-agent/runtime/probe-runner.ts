/**
 * Asks a container how it is, in the kubelet's four ways, and runs hooks. INVARIANTS: every question ends by its timeout; never
 * rejects; bodies and output beyond the limits table are thrown away; nothing is kept open between two questions.
 */
import { connect } from 'node:net'
import { causeSentence } from '../../protocol/causes.ts'
import type { ProbeAction, ProbeAnswer } from '../core/probe-model.ts'
import type { Clock, Engine } from '../ports.ts'
import { grpcProbe } from './grpc-probe.ts'
import { httpProbe } from './http-probe.ts'
import { failure, noAnswer } from './probe-answer.ts'

export interface Prober {
  run(action: ProbeAction, timeoutMs: number): Promise<ProbeAnswer>
}

type ActionOf<K extends ProbeAction['kind']> = Extract<ProbeAction, { readonly kind: K }>

export function createProber(engine: Pick<Engine, 'exec'>, clock: Clock): Prober {
  const ask = (action: ProbeAction, timeoutMs: number): Promise<ProbeAnswer> => {
    switch (action.kind) {
      case 'http':
        return httpProbe(action, timeoutMs)
      case 'tcp':
        return tcpProbe(action, timeoutMs)
      case 'grpc':
        return grpcProbe(action, timeoutMs)
      case 'exec':
        return execProbe(engine, action, timeoutMs)
      case 'sleep':
        return new Promise((resolve) => {
          clock.at(clock.now().monoMs + Math.min(action.ms, timeoutMs), () => resolve({ verdict: 'success', message: '' }))
        })
    }
  }
  return {
    run: async (action, timeoutMs) => {
      try {
        return await ask(action, timeoutMs)
      } catch (error) {
        return failure(error instanceof Error ? error.message : String(error))
      }
    },
  }
}

function tcpProbe({ host, port }: ActionOf<'tcp'>, timeoutMs: number): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (answer: ProbeAnswer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(noAnswer(timeoutMs)), timeoutMs)
    socket.once('connect', () => end({ verdict: 'success', message: '' }))
    socket.once('error', (error) => end(failure(error.message)))
  })
}

async function execProbe(engine: Pick<Engine, 'exec'>, { target, argv }: ActionOf<'exec'>, timeoutMs: number): Promise<ProbeAnswer> {
  const outcome = await engine.exec(target, argv, timeoutMs)
  // the engine could not be asked: nothing is known of the container
  if (!outcome.ok) {
    const refused = outcome.cause.code === 'container.exec.failed'
    return refused ? failure(causeSentence(outcome.cause)) : { verdict: 'unknown', message: causeSentence(outcome.cause) }
  }
  if (outcome.timedOut) return failure(`the command did not end within ${timeoutMs / 1000} s`)
  if (outcome.exitCode === 0) return { verdict: 'success', message: '' }
  return failure(`the command ended with code ${outcome.exitCode}${outcome.output.trim() === '' ? '' : `: ${outcome.output.trim()}`}`)
}
